import { expect, it } from "vitest";
import { checkOf, clockCheck, registryChecks } from "../../src/preflight/check-lines.js";
import type { RegistryCheck } from "../../src/preflight/check-registry.js";

function answer(registry: string, change: Partial<RegistryCheck> = {}): RegistryCheck {
  return {
    report: { registry, reference: `${registry}.test/x`, state: "ready", problems: [], durationMs: 1 },
    skew: undefined,
    accepts: true,
    hasCandidate: false,
    existing: undefined,
    ...change,
  };
}

const refused = answer("acr", {
  accepts: false,
  report: {
    ...answer("acr").report,
    state: "failed",
    problems: [{ code: "DENIED", what: "the registry refuses\nmore" }],
  },
});
const late = answer("quay", { accepts: false, report: { ...answer("quay").report, state: "not started" } });

it("every check of a registry has its result, good or bad", () => {
  const checks = [answer("ghcr", { hasCandidate: true, existing: "same" }), refused, late];
  expect(registryChecks(checks, "1.2.3")).toEqual([
    {
      name: "push access",
      state: "failed",
      evidence: ["ghcr: accepts pushes", "acr: refuses pushes", "quay: not waited for"],
    },
    { name: "image", state: "ok", evidence: ["in ghcr"] },
    {
      name: "version 1.2.3",
      state: "ok",
      evidence: ["ghcr: exists, with this content", "acr: unknown", "quay: unknown"],
    },
  ]);
});

it("a version that has other content fails its check, and without a version there is none", () => {
  const checks = [answer("ghcr"), answer("acr", { existing: "other" })];
  expect(registryChecks(checks, "1.2.3").at(-1)).toMatchObject({
    state: "failed",
    evidence: ["ghcr: free", "acr: exists with other content"],
  });
  expect(registryChecks(checks, undefined).map(({ name, state }) => [name, state])).toEqual([
    ["push access", "ok"],
    ["image", "ok"],
  ]);
});

it("an optional registry that is not waited for fails nothing", () => {
  expect(registryChecks([answer("ghcr"), late], undefined)[0]?.state).toBe("ok");
});

it("a check says what it saw, or its problems", () => {
  const problem = { code: "ENVIRONMENT", what: "0.4 GB left" } as const;
  expect(checkOf("disk", [], ["45 GB left"])).toEqual({
    name: "disk",
    state: "ok",
    evidence: ["45 GB left"],
  });
  expect(checkOf("disk", [problem], ["x"])).toMatchObject({ state: "failed", evidence: ["0.4 GB left"] });
  const skew = { registry: "ghcr", host: "ghcr.io", seconds: 0 };
  expect(clockCheck([skew, skew], [])).toEqual([checkOf("clock", [], ["agrees with ghcr"])]);
  expect(clockCheck([], [])).toEqual([]);
});

it("where no registry answered, nothing is said to be free or absent", () => {
  const silent = answer("ghcr", {
    accepts: false,
    report: {
      ...answer("ghcr").report,
      state: "failed",
      problems: [{ code: "UNAVAILABLE", what: "no response for 5 s" }],
    },
  });
  expect(registryChecks([silent, late], "1.2.3").map(({ name, state }) => [name, state])).toEqual([
    ["push access", "failed"],
    ["image", "skipped"],
    ["version 1.2.3", "skipped"],
  ]);
});
