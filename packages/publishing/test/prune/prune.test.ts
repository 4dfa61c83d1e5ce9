import { expect, it } from "vitest";
import { Service } from "@tgo/catalog";
import { digestOf, OCI_INDEX } from "@tgo/registry";
import { errorResponse, jsonResponse, stageImage } from "@tgo/testing";
import { renderPrune, type PruneResult } from "@tgo/report";
import { parse } from "@tgo/schemas";
import { prune } from "../../src/prune/prune.js";
import { publishCandidate } from "../../src/publish/publish.js";
import { MemoryHarness } from "../release/memory-harness.js";
import { NAMES } from "../release/release-subjects.js";

const service = parse(Service, { title: "A service", build: { strategy: "dockerfile" } });
const services = [{ name: "tgo-api", service }];
const FUTURE = new Date("2100-01-01T00:00:00Z");

/** A released version, and a candidate that is not released. */
async function withCandidate(): Promise<{ harness: MemoryHarness; candidate: string }> {
  const harness = new MemoryHarness();
  await harness.release("1.2.3");
  const candidate = harness.candidate("tgo-api", "1.2.4");
  await publishCandidate(harness.context(), candidate);
  return { harness, candidate: `candidate-${candidate.key}` };
}

const run = (harness: MemoryHarness, remove: boolean): Promise<PruneResult[]> =>
  prune(harness.context(), services, { before: FUTURE, undated: true, remove });

it("prune lists unreleased candidates and removes nothing by default", async () => {
  const { harness, candidate } = await withCandidate();
  const text = renderPrune(await run(harness, false), "Add --remove.", "text");
  expect(text).toMatch(new RegExp(`${candidate} +would be removed`));
  expect(text).toMatch(/candidate-[0-9a-f]{16} +kept +its image is also 1, 1\.2, 1\.2\.3, latest/);
  expect(text).toContain("Nothing was removed");
  expect(harness.digestAt("ghcr", "tgo-api", candidate)).toBeDefined();
});

it("prune --remove removes them from every registry and leaves released images", async () => {
  const { harness, candidate } = await withCandidate();
  const text = renderPrune(await run(harness, true), undefined, "text");
  expect(text).toMatch(new RegExp(`${candidate} +removed`));
  for (const name of NAMES) {
    expect(harness.digestAt(name, "tgo-api", candidate)).toBeUndefined();
    expect(harness.digestAt(name, "tgo-api", "1.2.3")).toBeDefined();
  }
  expect((await harness.release("1.2.3")).ok).toBe(true);
});

it("A registry that refuses to delete is reported, and the others are pruned", async () => {
  const { harness, candidate } = await withCandidate();
  harness.registries.ghcr.intercept = ({ method }) =>
    method === "DELETE" ? errorResponse(405, "UNSUPPORTED", "The operation is unsupported.") : undefined;
  const pruned = await run(harness, true);
  expect(pruned.map(({ registry, problem }) => [registry, problem?.code])).toEqual([
    ["ghcr", "DENIED"],
    ["dockerhub", undefined],
    ["acr", undefined],
  ]);
  expect(harness.digestAt("dockerhub", "tgo-api", candidate)).toBeUndefined();
});

it("prune keeps the staging tags of a running release, however old their base image is", async () => {
  const { harness } = await withCandidate();
  const tag = `staging-${harness.candidate("tgo-api", "1.2.5").key}`;
  const variants = ["linux/amd64", "linux/arm64"].map((platform) => ({ platform }));
  await stageImage(harness.registries.ghcr.client(), "tgoai/tgo-api", tag, variants);
  const pruned = await prune(harness.context(), services, { before: FUTURE, remove: true });
  expect(harness.digestAt("ghcr", "tgo-api", tag)).toBeDefined();
  expect(renderPrune(pruned, undefined, "text")).toMatch(
    new RegExp(`${tag} +kept +its candidate is missing`),
  );
});

it("prune keeps images without a date unless told otherwise", async () => {
  const { harness, candidate } = await withCandidate();
  const [first] = await prune(harness.context(), services, { before: FUTURE, remove: true });
  expect(first?.selection.remove).toEqual([]);
  expect(harness.digestAt("ghcr", "tgo-api", candidate)).toBeDefined();
});

const listing = (tags: readonly string[], rest: (url: URL) => Response | undefined) => {
  return ({ url }: { readonly url: URL }): Response | undefined =>
    url.pathname.endsWith("/tags/list") ? jsonResponse(200, { tags }) : rest(url);
};

it("prune reads no repository with more tags than anybody has", async () => {
  const { harness } = await withCandidate();
  const { ghcr } = harness.registries;
  ghcr.intercept = listing(
    Array.from({ length: 20_001 }, (_, at) => `t${at}`),
    () => undefined,
  );
  ghcr.received.length = 0;
  const [first] = await run(harness, true);
  expect(first?.problem).toMatchObject({
    code: "CONFLICT",
    where: "ghcr.test/tgoai/tgo-api",
    what: "the repository has 20001 tags, more than the 20000 that are read",
  });
  expect(ghcr.requests("HEAD")).toEqual([]);
});

it("prune reads no more tags of a registry once it has failed", async () => {
  const { harness } = await withCandidate();
  const { ghcr } = harness.registries;
  ghcr.intercept = listing(
    Array.from({ length: 500 }, (_, at) => `t${at}`),
    () => errorResponse(403, "DENIED", "no"),
  );
  ghcr.received.length = 0;
  const [first] = await run(harness, true);
  expect(first?.problem).toMatchObject({ code: "DENIED" });
  expect(ghcr.requests("HEAD").length).toBeLessThan(40);
});

it("prune takes a config that is not JSON for an image without a date", async () => {
  const { harness } = await withCandidate();
  const { ghcr } = harness.registries;
  const config = Buffer.from("[".repeat(100_000));
  const descriptor = {
    mediaType: "application/vnd.oci.image.config.v1+json",
    digest: digestOf(config),
    size: config.length,
  };
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config: descriptor, layers: [] }));
  ghcr.blobs.set(`tgoai/tgo-api ${descriptor.digest}`, config);
  for (const name of ["candidate-0000000000000000", digestOf(bytes)])
    ghcr.manifests.set(`tgoai/tgo-api ${name}`, { mediaType, bytes });
  const [first] = await prune(harness.context(), services, { before: FUTURE, remove: false });
  expect(first?.problem).toBeUndefined();
  expect(JSON.stringify(first?.selection.keep)).toContain("candidate-0000000000000000");
});

it("prune looks again before each batch: what is released meanwhile stays", async () => {
  const harness = new MemoryHarness();
  const tags = Array.from({ length: 25 }, (_, number) => `1.2.${number}`);
  for (const version of tags)
    await publishCandidate(harness.context(), harness.candidate("tgo-api", version));
  const ghcr = harness.registries.ghcr;
  let deleted = 0;
  let lists = 0;
  let released: string | undefined;
  ghcr.intercept = ({ method, url }) => {
    if (method === "GET" && url.pathname.endsWith("/tags/list")) lists++;
    if (method === "DELETE" && ++deleted === 1) {
      // One of the second batch gets a version's tag while the first batch is removed.
      const last =
        [...ghcr.manifests.keys()]
          .filter((key) => key.includes(" candidate-"))
          .sort()
          .at(-1) ?? "";
      const manifest = ghcr.manifests.get(last);
      if (manifest !== undefined) ghcr.manifests.set("tgoai/tgo-api 9.9.9", manifest);
      released = harness.digestAt("ghcr", "tgo-api", last.split(" ")[1] ?? "");
    }
    return undefined;
  };
  await run(harness, true);
  expect(deleted).toBe(24);
  expect(lists).toBe(3);
  expect(released).toBeDefined();
  expect(harness.digestAt("ghcr", "tgo-api", "9.9.9")).toBe(released);
});

it("prune --remove removes what refers to a removed image, and nothing that only a list claims", async () => {
  const { harness, candidate } = await withCandidate();
  const { ghcr } = harness.registries;
  const client = ghcr.client();
  const image = await client.resolve("tgoai/tgo-api", candidate);
  const released = await client.resolve("tgoai/tgo-api", "1.2.3");
  if (image === undefined || released === undefined) throw new Error("not published");
  const content = new TextEncoder().encode("{}");
  const [own, others] = await Promise.all(
    [image, released].map((subject) => client.attach("tgoai/tgo-api", subject, [{ type: "a/b", content }])),
  );
  await run(harness, true);
  const left = [...ghcr.manifests.keys()].map((key) => key.split(" ")[1]);
  expect(left).not.toContain(own?.[0]?.digest);
  expect(left).not.toContain(image.digest.replace(":", "-"));
  expect(left).toContain(others?.[0]?.digest);

  // A list that names a released image as a referrer.
  const again = await withCandidate();
  const registry = again.harness.registries.ghcr;
  const target = await registry.client().resolve("tgoai/tgo-api", again.candidate);
  const victim = await registry.client().resolve("tgoai/tgo-api", "1.2.3");
  const list = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [victim] };
  const tag = target?.digest.replace(":", "-") ?? "";
  const bytes = new TextEncoder().encode(JSON.stringify(list));
  await registry.client().putManifest("tgoai/tgo-api", tag, OCI_INDEX, bytes);
  await run(again.harness, true);
  expect(registry.digestAt("tgoai/tgo-api", again.candidate)).toBeUndefined();
  expect(registry.digestAt("tgoai/tgo-api", "1.2.3")).toBe(victim?.digest);
});
