import { digestOf } from "@tgo/registry";
import { expect, it } from "vitest";
import { IndexCache } from "../../src/release/index-cache.js";
import { MemoryHarness } from "./memory-harness.js";

const INDEX = "application/vnd.oci.image.index.v1+json";

/** A registry with an index of these annotations, and how often it was asked for it. */
function withIndex(annotations: Readonly<Record<string, string>>): {
  readonly identity: () => ReturnType<IndexCache["identity"]>;
  readonly read: () => ReturnType<IndexCache["read"]>;
  readonly reads: () => number;
} {
  const harness = new MemoryHarness();
  const { ghcr } = harness.registries;
  const bytes = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [], annotations }),
  );
  ghcr.manifests.set(`tgoai/tgo-api ${digestOf(bytes)}`, { mediaType: INDEX, bytes });
  const [target] = harness.context().targets;
  if (target === undefined) throw new Error("no target");
  const cache = new IndexCache();
  return {
    identity: () => cache.identity(target, "tgo-api", digestOf(bytes)),
    read: () => cache.read(target, "tgo-api", digestOf(bytes)),
    reads: () => ghcr.requests("GET").length,
  };
}

const VERSION = "org.opencontainers.image.version";

it("an index is read once", async () => {
  const { identity, read, reads } = withIndex({ [VERSION]: "1.2.3" });
  expect(await identity()).toEqual({ version: "1.2.3", revision: undefined });
  expect((await read()).value.annotations).toEqual({ [VERSION]: "1.2.3" });
  await identity();
  expect(reads()).toBe(1);
});

it("a large one is not kept for its annotations: a registry may have thousands", async () => {
  const { identity, read, reads } = withIndex({ [VERSION]: "1.2.3", filler: "x".repeat(10_000) });
  for (let round = 0; round < 3; round++) expect((await identity()).version).toBe("1.2.3");
  expect(reads()).toBe(1);
  await read();
  expect(reads()).toBe(2);
});

it("a text that is longer than any version is none", async () => {
  const { identity } = withIndex({ [VERSION]: "1".repeat(257) });
  expect((await identity()).version).toBeUndefined();
});
