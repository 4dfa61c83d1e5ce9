import { describe, expect, it } from "vitest";
import { parseRecord, RECORD_MEDIA_TYPE, recordJson, type ReleaseRecord } from "@tgo/release-rules";
import { addQuirks, errorResponse, listTagIsDigest, referrersApi, subjectHeader } from "@tgo/testing";
import type { Released } from "../../src/release/release-result.js";
import { MemoryHarness } from "./memory-harness.js";
import { NAMES, SERVICES, type RegistryName } from "./release-subjects.js";
import { REVISION } from "./synthetic-candidates.js";

const withReferrers = (): MemoryHarness => new MemoryHarness({ referrers: ["ghcr", "dockerhub"] });

/** The records attached to a service's image, found by the image's digest. */
async function records(
  harness: MemoryHarness,
  name: RegistryName,
  service: string,
  tag: string,
): Promise<ReleaseRecord[]> {
  const client = harness.registries[name].client();
  const repository = `tgoai/${service}`;
  const digest = harness.digestAt(name, service, tag);
  if (digest === undefined) return [];
  const list = await client.manifest(repository, digest.replace(":", "-")).catch(() => undefined);
  const referrers = list !== undefined && "manifests" in list.value ? list.value.manifests : [];
  return Promise.all(
    referrers.map(async (referrer) => {
      const { value } = await client.manifest(repository, referrer.digest);
      const [layer] = "layers" in value ? value.layers : [];
      if (layer?.mediaType !== RECORD_MEDIA_TYPE) throw new Error("not a record");
      const text = await new Response(await client.blob(repository, layer)).text();
      return parseRecord(text, referrer.digest);
    }),
  );
}

const states = (released: Released): (string | undefined)[] =>
  released.services.flatMap(({ registries }) => registries.map(({ record }) => record));

describe("The record of a release", () => {
  it("lists digests, tags and registries, and is attached to every image where the registry accepts it", async () => {
    const harness = withReferrers();
    const released = await harness.release("1.2.3");
    const { digest } = await harness.image("tgo-api", "1.2.3");
    expect(states(released)).toEqual(["done", "done", undefined, "done", "done", undefined]);
    for (const name of ["ghcr", "dockerhub"] as const) {
      for (const service of SERVICES) {
        const [record, ...others] = await records(harness, name, service, "1.2.3");
        expect(others).toEqual([]);
        expect(record).toEqual(released.record);
      }
    }
    expect(await records(harness, "acr", "tgo-api", "1.2.3")).toEqual([]);
    expect(released.record).toMatchObject({
      kind: "release",
      version: "1.2.3",
      pipeline: "fedcba9876543210",
      tags: ["1.2.3", "1.2", "1", "latest"],
      services: {
        "tgo-api": {
          digest,
          revision: REVISION,
          candidate: harness.candidate("tgo-api", "1.2.3").key,
          platforms: (released.services[0]?.variants ?? []).map((variant) => ({
            platform: variant.platform,
            digest: variant.digest,
            size: variant.size,
          })),
          registries: Object.fromEntries(
            NAMES.map((name) => [
              name,
              {
                reference: `${name}.test/tgoai/tgo-api@${digest}`,
                tags: ["1.2.3", "1.2", "1", "latest"],
                state: "complete",
              },
            ]),
          ),
        },
      },
    });
    expect(released.record?.services["tgo-api"]?.platforms.map(({ platform }) => platform)).toEqual([
      "linux/amd64",
      "linux/arm64",
    ]);
  });

  it("has the same bytes when the release is repeated, and is not attached again", async () => {
    const harness = withReferrers();
    const first = await harness.release("1.2.3");
    for (const name of NAMES) harness.registries[name].received.length = 0;
    const again = await harness.release("1.2.3");
    expect(states(again)).toEqual([
      "already there",
      "already there",
      undefined,
      "already there",
      "already there",
      undefined,
    ]);
    expect(recordJson(again.record ?? missingRecord())).toBe(recordJson(first.record ?? missingRecord()));
    expect(NAMES.flatMap((name) => harness.registries[name].requests("PUT"))).toEqual([]);
    expect(await records(harness, "ghcr", "tgo-api", "1.2.3")).toHaveLength(1);
  });

  it("of a rollback is a second record of that image", async () => {
    const harness = withReferrers();
    await harness.release("1.2.2");
    await harness.release("1.2.3");
    const back = await harness.promote("1.2.2", { allowBackwards: true });
    expect([back.ok, back.record?.kind]).toEqual([true, "rollback"]);
    expect((await records(harness, "ghcr", "tgo-web", "1.2.2")).map(({ kind }) => kind)).toEqual([
      "release",
      "rollback",
    ]);
    // The same command again moves nothing, and its record is the same.
    const again = await harness.promote("1.2.2", { allowBackwards: true });
    expect(recordJson(again.record ?? missingRecord())).toBe(recordJson(back.record ?? missingRecord()));
    expect(states(again).filter((state) => state !== undefined)).toEqual(Array(4).fill("already there"));
  });

  it("that a required registry rejects is reported and fails the run, and the tags stay", async () => {
    const harness = withReferrers();
    harness.registries.dockerhub.intercept = ({ method, body }) =>
      method === "PUT" && body.includes("vnd.oci.empty")
        ? errorResponse(403, "DENIED", "unknown manifest class for application/vnd.oci.empty.v1+json")
        : undefined;
    const released = await harness.release("1.2.3");
    expect(released.ok).toBe(false);
    expect(released.services.map(({ state }) => state)).toEqual(["released", "released"]);
    expect(states(released)).toEqual(["done", "failed", undefined, "done", "failed", undefined]);
    const problems = released.services.flatMap(({ registries }) => registries.flatMap((row) => row.problems));
    expect(problems).toHaveLength(2);
    expect(problems[0]).toMatchObject({ code: "DENIED" });
    expect(problems[0]?.what).toMatch(/^the release record could not be attached to the image: /);
    expect(problems[0]?.remedy).toContain('"referrers": false');
    expect(new Set(harness.everywhere("latest"))).not.toContain(undefined);
    harness.registries.dockerhub.intercept = () => undefined;
    const repaired = await harness.release("1.2.3");
    expect([repaired.ok, states(repaired)]).toEqual([
      true,
      ["already there", "done", undefined, "already there", "done", undefined],
    ]);
  });

  it("that a required registry's referrers API does not list is found by its tag: the release is whole", async () => {
    const harness = withReferrers();
    addQuirks(harness.registries.dockerhub, referrersApi({ lists: "nothing" }));
    const released = await harness.release("1.2.3");
    expect(released.ok).toBe(true);
    expect(states(released)).toEqual(["done", "by tag", undefined, "done", "by tag", undefined]);
    expect(await records(harness, "dockerhub", "tgo-api", "1.2.3")).toHaveLength(1);
    const [service] = released.services;
    expect(service?.registries[1]?.problems).toEqual([]);
    const digest = service?.digest ?? "";
    expect(service?.notes).toEqual([
      "the referrers API of dockerhub does not list the release record; the list under " +
        `${digest.replace(":", "-")} does: oras discover --distribution-spec v1.1-referrers-tag ` +
        `dockerhub.test/tgoai/tgo-api@${digest}`,
    ]);
  });

  it("that nobody finds, as a registry returns the image as its list, is not done", async () => {
    const harness = withReferrers();
    addQuirks(harness.registries.dockerhub, listTagIsDigest());
    const released = await harness.release("1.2.3");
    expect(released.ok).toBe(false);
    expect(states(released)).toEqual(["done", "failed", undefined, "done", "failed", undefined]);
    expect(JSON.stringify(released.services)).toContain("returns the image itself");
    expect(new Set(harness.everywhere("latest"))).not.toContain(undefined);
  });

  it("is found where a registry says that it has a referrers API and has none", async () => {
    const harness = withReferrers();
    addQuirks(harness.registries.dockerhub, subjectHeader());
    await harness.release("1.2.3");
    expect(await records(harness, "dockerhub", "tgo-api", "1.2.3")).toHaveLength(1);
  });

  it("that an optional registry rejects is reported, and fails nothing", async () => {
    const harness = new MemoryHarness({ referrers: ["ghcr", "acr"] });
    harness.registries.acr.intercept = ({ method, body }) =>
      method === "PUT" && body.includes("vnd.oci.empty") ? errorResponse(403, "DENIED", "no") : undefined;
    const released = await harness.release("1.2.3");
    expect([released.ok, states(released)]).toEqual([
      true,
      ["done", undefined, "failed", "done", undefined, "failed"],
    ]);
    expect(JSON.stringify(released.services)).toContain("the release record could not be attached");
  });

  it("says which registry is incomplete, and is written again once it is complete", async () => {
    const harness = withReferrers();
    harness.registries.acr.intercept = () => errorResponse(503, "UNAVAILABLE", "down");
    const first = await harness.release("1.2.3");
    expect(first.record?.services["tgo-api"]?.registries.acr).toMatchObject({
      tags: [],
      state: "incomplete",
    });
    expect(states(first)).toEqual(["done", "done", undefined, "done", "done", undefined]);
    harness.registries.acr.intercept = () => undefined;
    await harness.release("1.2.3");
    const all = await records(harness, "ghcr", "tgo-api", "1.2.3");
    expect(all.map(({ services }) => services["tgo-api"]?.registries.acr?.state)).toEqual([
      "incomplete",
      "complete",
    ]);
  });

  it("does not exist while the gate is closed, and is not attached while a required registry is incomplete", async () => {
    const harness = withReferrers();
    const { dockerhub } = harness.registries;
    dockerhub.intercept = ({ method, url }) =>
      method === "PUT" && url.pathname.includes("/tgo-web/manifests/candidate-")
        ? errorResponse(403, "DENIED", "no")
        : undefined;
    expect((await harness.release("1.2.3")).record).toBeUndefined();
    dockerhub.intercept = ({ method, url }) =>
      method === "PUT" && url.pathname.endsWith("/tgo-web/manifests/latest")
        ? errorResponse(403, "DENIED", "no")
        : undefined;
    const half = await harness.release("1.2.3");
    expect(half.record?.services["tgo-web"]?.registries.dockerhub).toMatchObject({
      tags: ["1.2.3", "1.2", "1"],
      state: "incomplete",
    });
    expect(new Set(states(half))).toEqual(new Set([undefined]));
    expect(await records(harness, "ghcr", "tgo-api", "1.2.3")).toEqual([]);
  });
});

function missingRecord(): never {
  throw new Error("no record");
}
