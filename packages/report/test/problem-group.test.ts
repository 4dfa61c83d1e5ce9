import type { Problem } from "@tgo/errors";
import { expect, it } from "vitest";
import { renderMarkdown, renderText, type Report } from "../src/index.js";

const problem = (where: string): Problem => ({
  code: "DENIED",
  what: "no push for you",
  where,
  remedy: "Ask.",
});

function report(services: readonly string[], refused: (service: string) => boolean): Report {
  return {
    command: "preflight",
    ok: false,
    engine: "engine",
    durationMs: 1,
    services: services.map((service) => ({
      service,
      state: "failed",
      variants: [],
      registries: [
        {
          registry: "acr",
          reference: `acr.test/tgoai/${service}`,
          state: "failed",
          problems: refused(service) ? [problem(`acr.test/tgoai/${service}`)] : [],
          durationMs: 1,
        },
      ],
      problems: [],
      notes: [],
      durationMs: 1,
    })),
  };
}

it.each([renderText, renderMarkdown])("a problem of all services in one registry is shown once", (render) => {
  const text = render(report(["api", "rag", "web"], () => true));
  expect(text).toContain("all 3 services in acr: acr.test/tgoai\n");
  expect(text).not.toContain("api in acr");
});

it("a problem of some services is shown for each", () => {
  const text = renderText(report(["api", "rag", "web"], (service) => service !== "web"));
  expect(text).toContain("api in acr: acr.test/tgoai/api\n");
  expect(text).toContain("rag in acr: acr.test/tgoai/rag\n");
  expect(text).not.toContain("all 3 services");
});

it("a remedy whose command names the problem's own service is said once, for all of them", () => {
  const lacking = (service: string): Problem => ({
    code: "NOT_FOUND",
    what: "there is no tag",
    remedy: `No registry has it:\ntgo status --service ${service}`,
  });
  const failed = report(["api", "api-2", "web"], () => false);
  const services = failed.services.map((each) => ({ ...each, problems: [lacking(each.service)] }));
  const text = renderText({ ...failed, services });
  expect(text.split("there is no tag")).toHaveLength(2);
  expect(text).toContain("tgo status --service api,api-2,web\n");
  expect(text).not.toContain("\u0000");
});

it("a single service is named", () => {
  expect(renderText(report(["api"], () => true))).toContain("api in acr: acr.test/tgoai/api\n");
});

it("a problem of the whole run explains its failure when no service failed", () => {
  const text = renderText({
    ...report([], () => false),
    ...well(),
    problems: [{ code: "ENVIRONMENT", what: "no disk" }],
  });
  expect(text).toContain("a problem of all services must be fixed first");
  expect(text).toContain("no disk");
});

function well(): Pick<Report, "services"> {
  return {
    services: report(["api", "rag"], () => false).services.map((row) => ({ ...row, state: "ready" })),
  };
}

it("a registry that did not answer is one problem, however long each service waited, and its code is explained once", () => {
  const given = report(["api", "rag", "web"], () => false);
  const waited = ["3.333", "5", "5"];
  const services = given.services.map((each, index) => ({
    ...each,
    registries: each.registries.map((row) => ({
      ...row,
      problems: [
        { code: "UNAVAILABLE" as const, what: `cannot reach acr.test: no response for ${waited[index]} s` },
      ],
    })),
  }));
  const text = renderText({ ...given, services });
  expect(text.match(/cannot reach/g)).toHaveLength(1);
  expect(text).toContain("  at  all 3 services in acr");
  expect(text.match(/explained by: .*/g)).toEqual(["explained by: npx --no-install tgo explain UNAVAILABLE"]);
});
