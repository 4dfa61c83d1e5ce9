import { TgoError } from "@tgo/errors";
import { canonicalJson, isIndex } from "@tgo/registry";
import { formatReasons, kindOfTag } from "@tgo/release-rules";
import { rewriteImage, type Rewrite } from "@tgo/testing";
import { describe, expect, it } from "vitest";
import { candidateTag } from "../../src/candidate/candidate-key.js";
import { publishCandidate } from "../../src/publish/publish.js";
import { MemoryHarness } from "../release/memory-harness.js";
import { NAMES, SERVICES, type RegistryName } from "../release/release-subjects.js";
import { SyntheticEngine } from "../release/synthetic-candidates.js";

const SERVICE = "tgo-api";
const VERSION = "1.2.3";
const REPOSITORY = `tgoai/${SERVICE}`;
const FILE: Rewrite = { files: [{ path: "opt/note", content: "added later" }] };

/** A harness without optional registries, and its candidate's tag and digest. */
async function start(): Promise<{ harness: MemoryHarness; tag: string; digest: string }> {
  const harness = new MemoryHarness({ allRequired: true });
  const tag = candidateTag(harness.candidate(SERVICE, VERSION).key);
  return { harness, tag, digest: (await harness.image(SERVICE, VERSION)).digest };
}

const publish = (harness: MemoryHarness): ReturnType<typeof publishCandidate> =>
  publishCandidate(harness.context(), harness.candidate(SERVICE, VERSION));

const rewrite = (harness: MemoryHarness, name: RegistryName, tag: string, change: Rewrite): Promise<string> =>
  rewriteImage(harness.registries[name].client(), REPOSITORY, tag, change);

const at = (harness: MemoryHarness, tag: string): (string | undefined)[] =>
  NAMES.map((name) => harness.digestAt(name, SERVICE, tag));

/** Removes everything from registries. */
function empty(harness: MemoryHarness, ...names: RegistryName[]): void {
  for (const name of names) {
    harness.registries[name].blobs.clear();
    harness.registries[name].manifests.clear();
  }
}

/** The names under which manifests were put: digests as `digest`. */
function puts(harness: MemoryHarness): string[] {
  return NAMES.flatMap((name) =>
    harness.registries[name]
      .requests("PUT")
      .filter((request) => request.includes("/manifests/"))
      .map((request) => request.replace(/^.*\/manifests\//, "").replace(/^sha256:.*/, "digest")),
  );
}

function forgetRequests(harness: MemoryHarness): void {
  for (const name of NAMES) harness.registries[name].received.length = 0;
}

/** Changes the JSON of the index under a tag. */
function changeIndex(
  harness: MemoryHarness,
  name: RegistryName,
  tag: string,
  change: (index: { manifests: unknown[]; [field: string]: unknown }) => object,
): Promise<unknown> {
  const client = harness.registries[name].client();
  return client.manifest(REPOSITORY, tag).then(({ value }) => {
    if (!isIndex(value)) throw new Error("no index");
    const bytes = new TextEncoder().encode(canonicalJson(change({ ...value })));
    return client.putManifest(REPOSITORY, tag, value.mediaType, bytes);
  });
}

describe("A candidate rewritten in a registry", () => {
  it.each([1, 2])("gives way to the proven one, in however many registries it is (%i)", async (count) => {
    const { harness, tag, digest } = await start();
    await publish(harness);
    const rewritten = NAMES.slice(0, count);
    for (const name of rewritten) await rewrite(harness, name, tag, FILE);
    const report = await publish(harness);
    expect([report.state, report.digest]).toEqual(["already there", digest]);
    expect(at(harness, tag)).toEqual([digest, digest, digest]);
    expect(report.notes.map((note) => note.split(" ")[0])).toEqual(rewritten);
    expect([harness.built.length, harness.engine.tested]).toEqual([1, []]);
  });

  it.each<[string, Rewrite]>([
    ["a layer more", FILE],
    ["another environment", { env: ["LD_PRELOAD=/opt/note"] }],
    ["an annotation more", { annotations: { note: "added later" } }],
  ])("with %s, and nowhere else, is built again by the engine that built it", async (_, change) => {
    const { harness, tag, digest } = await start();
    await publish(harness);
    empty(harness, "dockerhub", "acr");
    const rewritten = await rewrite(harness, "ghcr", tag, change);
    const report = await publish(harness);
    expect([report.state, report.digest, harness.built.length]).toEqual(["published", digest, 2]);
    expect(at(harness, tag)).toEqual([digest, digest, digest]);
    expect(harness.registries.acr.manifests.has(`${REPOSITORY} ${rewritten}`)).toBe(false);
    expect(harness.engine.tested).toEqual([]);
  });

  it("is run by another engine before anything is written, and copied nowhere if it fails", async () => {
    const { harness, tag } = await start();
    await publish(harness);
    empty(harness, "dockerhub", "acr");
    await rewrite(harness, "ghcr", tag, FILE);
    harness.engine = new SyntheticEngine();
    harness.engine.problem = new TgoError("SMOKE", "does not start");
    forgetRequests(harness);
    const report = await publish(harness);
    expect([report.state, report.problems.map(({ code }) => code)]).toEqual(["failed", ["SMOKE"]]);
    expect(harness.engine.tested).toEqual(["run ghcr"]);
    expect(puts(harness)).toEqual([]);
    expect(NAMES.flatMap((name) => harness.registries[name].requests("POST"))).toEqual([]);
  });

  it("is not chosen by majority: an engine without a proof of either builds it again", async () => {
    const { harness, tag, digest } = await start();
    await publish(harness);
    const rewritten = await rewrite(harness, "ghcr", tag, FILE);
    await rewrite(harness, "dockerhub", tag, FILE);
    harness.engine = new SyntheticEngine();
    const report = await publish(harness);
    expect([report.state, report.digest, harness.built.length]).toEqual(["published", digest, 2]);
    expect(at(harness, tag)).toEqual([digest, digest, digest]);
    expect(report.notes).toEqual(
      ["ghcr", "dockerhub"].map((name) => `${name} had another image under ${tag}: ${rewritten}, replaced`),
    );
    expect(harness.engine.tested).toEqual([]);
  });

  it.each<[string, Parameters<typeof changeIndex>[3]]>([
    [
      "lists its variants in another order",
      (index) => ({ ...index, manifests: [...index.manifests].reverse() }),
    ],
    ["has a field more", (index) => ({ ...index, note: "added later" })],
  ])("is copied by no engine if its index %s", async (_, change) => {
    const { harness, tag, digest } = await start();
    await publish(harness);
    empty(harness, "dockerhub", "acr");
    await changeIndex(harness, "ghcr", tag, change);
    harness.engine = new SyntheticEngine();
    await publish(harness);
    expect(at(harness, tag)).toEqual([digest, digest, digest]);
    expect([harness.built.length, harness.engine.tested]).toEqual([2, []]);
  });

  it("is copied by no engine if its variants are another candidate's, whose proofs it has", async () => {
    const { harness, tag, digest } = await start();
    await publish(harness);
    const old = harness.candidate(SERVICE, "1.2.2");
    await publishCandidate(harness.context(), old);
    empty(harness, "dockerhub", "acr");
    const { value } = await harness.registries.ghcr.client().manifest(REPOSITORY, candidateTag(old.key));
    const manifests = isIndex(value) ? value.manifests : [];
    await changeIndex(harness, "ghcr", tag, (index) => ({ ...index, manifests }));
    await publish(harness);
    expect(at(harness, tag)).toEqual([digest, digest, digest]);
  });

  it("gives way to the released image: its files are checked, and it is not run", async () => {
    const { harness, tag, digest } = await start();
    await harness.release(VERSION, { services: [SERVICE] });
    for (const name of NAMES) await rewrite(harness, name, tag, FILE);
    harness.engine = new SyntheticEngine();
    const released = await harness.release(VERSION, { services: [SERVICE] });
    expect([released.ok, harness.engine.tested]).toEqual([true, ["check ghcr"]]);
    expect(at(harness, tag)).toEqual([digest, digest, digest]);
    expect(harness.built).toHaveLength(1);
  });
});

describe("Promoting what this engine has no proof of", () => {
  async function released(): Promise<MemoryHarness> {
    const harness = new MemoryHarness({ allRequired: true });
    await harness.release("1.2.2");
    await harness.release(VERSION);
    harness.engine = new SyntheticEngine();
    forgetRequests(harness);
    return harness;
  }

  it("checks its files and runs nothing if every required registry has the version", async () => {
    const harness = await released();
    const back = await harness.promote("1.2.2", { allowBackwards: true });
    expect([back.ok, harness.engine.tested]).toEqual([true, ["check ghcr", "check ghcr"]]);
    expect(back.services[0]?.notes).toEqual([
      "released before, and without a proof of this engine: its files were checked, it was not run",
    ]);
  });

  it("runs it if a registry only says in a header that it has the version", async () => {
    const harness = await released();
    const { dockerhub } = harness.registries;
    const headers = { "docker-content-digest": harness.digestAt("dockerhub", SERVICE, "1.2.2") ?? "" };
    await rewrite(harness, "dockerhub", "1.2.2", FILE);
    dockerhub.intercept = (request) => {
      if (request.method !== "HEAD" || !request.url.pathname.endsWith(`${SERVICE}/manifests/1.2.2`))
        return undefined;
      const honest = dockerhub.respond(request).headers;
      return new Response(null, { headers: { ...Object.fromEntries(honest), ...headers } });
    };
    await harness.promote("1.2.2", { allowBackwards: true });
    expect(harness.engine.tested.toSorted()).toEqual(["check ghcr", "run ghcr"]);
  });

  it("runs it if a required registry lacks the version", async () => {
    const harness = await released();
    empty(harness, "acr");
    const back = await harness.promote("1.2.2", { allowBackwards: true });
    expect([back.ok, harness.engine.tested]).toEqual([true, ["run ghcr", "run ghcr"]]);
    expect(harness.everywhere("latest")).toEqual(harness.everywhere("1.2.2"));
  });

  it("writes nothing anywhere if that run fails", async () => {
    const harness = await released();
    empty(harness, "acr");
    harness.engine.problem = new TgoError("SMOKE", "does not start");
    expect((await harness.promote("1.2.2", { allowBackwards: true })).ok).toBe(false);
    expect(puts(harness)).toEqual([]);
  });

  it("chooses none of two images under the version, and names both", async () => {
    const harness = await released();
    const before = harness.everywhere("latest");
    for (const name of NAMES.slice(1)) await rewrite(harness, name, "1.2.2", FILE);
    forgetRequests(harness);
    const back = await harness.promote("1.2.2", { allowBackwards: true });
    const [problem] = back.services.find(({ service }) => service === SERVICE)?.problems ?? [];
    expect([back.ok, problem?.code]).toEqual([false, "CONFLICT"]);
    const images = NAMES.slice(0, 2).map(
      (name) => `${name} has ${harness.digestAt(name, SERVICE, "1.2.2") ?? ""}`,
    );
    expect(problem?.what).toBe(`1.2.2 of ${SERVICE} is not one image: ${images.join(", ")}`);
    expect(harness.everywhere("latest")).toEqual(before);
    expect(puts(harness)).toEqual([]);
  });
});

describe("Tags", () => {
  it("are written by promote only after the gate: images of strangers get none", async () => {
    const harness = new MemoryHarness({ allRequired: true });
    await publish(harness);
    const { bytes, descriptor } = await harness.registries.ghcr
      .client()
      .manifest(REPOSITORY, candidateTag(harness.candidate(SERVICE, VERSION).key));
    await harness.registries.ghcr.client().putManifest(REPOSITORY, VERSION, descriptor.mediaType, bytes);
    empty(harness, "dockerhub", "acr");
    forgetRequests(harness);
    const promoted = await harness.promote(VERSION);
    expect(promoted.gate.open ? [] : formatReasons(promoted.gate.reasons)).toEqual([
      `tgo-web in ${NAMES.join(", ")}: the candidate is missing: no registry has version ${VERSION}`,
    ]);
    expect([...new Set(puts(harness))]).toEqual(["digest"]);
    expect(at(harness, VERSION).slice(1)).toEqual([undefined, undefined]);
  });

  it("of an image that does not say it is this version are not written either", async () => {
    const harness = new MemoryHarness({ allRequired: true });
    for (const service of SERVICES) {
      const { key } = harness.candidate(service, "1.2.2");
      await publishCandidate(harness.context(), harness.candidate(service, "1.2.2"));
      const client = harness.registries.ghcr.client();
      const { bytes, descriptor } = await client.manifest(`tgoai/${service}`, candidateTag(key));
      await client.putManifest(`tgoai/${service}`, VERSION, descriptor.mediaType, bytes);
    }
    forgetRequests(harness);
    const promoted = await harness.promote(VERSION);
    expect([promoted.ok, promoted.gate.open]).toEqual([false, false]);
    expect(puts(harness).filter((name) => name !== "digest")).toEqual([]);
  });

  it.each(["release", "promote"] as const)(
    "of a version come after every image, in a %s",
    async (command) => {
      const harness = new MemoryHarness({ allRequired: true });
      const log: string[] = [];
      for (const name of NAMES) {
        harness.registries[name].onPut = (_, reference) => {
          const kind = reference.startsWith("sha256") ? "digest" : kindOfTag(reference).kind;
          log.push(kind);
        };
      }
      await harness.release(VERSION);
      if (command === "promote") {
        empty(harness, "acr");
        log.length = 0;
        await harness.promote(VERSION);
      }
      const isImage = (kind: string): boolean => kind === "digest" || kind === "candidate";
      const firstTag = log.findIndex((kind) => !isImage(kind));
      expect(firstTag).toBeGreaterThan(0);
      expect(log.slice(firstTag).filter(isImage)).toEqual([]);
      expect(log.includes("candidate")).toBe(command === "release");
    },
  );
});
