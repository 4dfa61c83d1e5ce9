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

it.each([renderText, renderMarkdown])("what all services have in a registry is told once of it", (render) => {
  const text = render(report(["api", "rag", "web"], () => true));
  expect(text).toContain("all 3 services in acr: acr.test/tgoai\n");
  expect(text).not.toContain("api in acr");
});

it("what only some services have is told of each of them", () => {
  const text = renderText(report(["api", "rag", "web"], (service) => service !== "web"));
  expect(text).toContain("api in acr: acr.test/tgoai/api\n");
  expect(text).toContain("rag in acr: acr.test/tgoai/rag\n");
  expect(text).not.toContain("all 3 services");
});

it("one service is called by its name", () => {
  expect(renderText(report(["api"], () => true))).toContain("api in acr: acr.test/tgoai/api\n");
});

it("what is wrong for all is why a run failed whose services are well", () => {
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
