import { expect, it } from "vitest";
import { RegistryRows } from "../../src/publish/registry-rows.js";
import { MemoryHarness } from "../release/memory-harness.js";

it("a registry's row has the engine's own error if it sent one, else what may be wrong with the registry", () => {
  const context = new MemoryHarness().context();
  const [first, second] = context.targets;
  if (first === undefined || second === undefined) throw new Error("no registries");
  const rows = new RegistryRows(context, "tgo-api", "candidate-0123456789abcdef");
  const extensions = { code: "DENIED", what: "refused", where: "ghcr.io/a", remedy: "Ask." };
  rows.fail(first, Object.assign(new Error("the engine's words"), { extensions }), 0);
  rows.fail(second, new Error("failed to push"), 0);
  expect(rows.of(first).problems).toEqual([extensions]);
  expect(rows.of(second).problems).toMatchObject([{ code: "UNAVAILABLE", what: "failed to push" }]);
});
