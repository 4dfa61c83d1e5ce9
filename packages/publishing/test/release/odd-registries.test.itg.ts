import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Fault } from "@tgo/testing";
import { expectComplete, expectReleased } from "./expectations.js";
import { FAULTY, NAMES, SERVICES } from "./places.js";
import { Registries } from "./real-registries.js";
import type { Outcome, ReleaseHarness } from "./release-harness.js";

let registries: Registries;

beforeAll(async () => {
  registries = await Registries.start();
});
afterAll(async () => {
  await registries.stop();
});

/** What the report has of the service in the registry that fails. */
function rowOf({
  released,
}: Outcome): NonNullable<Outcome["released"]["services"][number]["registries"][number]> {
  const report = released.services.find(({ service }) => service === FAULTY.service);
  const row = report?.registries.find(({ registry }) => registry === FAULTY.registry);
  if (row === undefined) throw new Error("there is no such row");
  return row;
}

/** The lists of documents that belong to an image: one of each registry that has the record. */
async function lists(harness: ReleaseHarness): Promise<string[]> {
  const found = await Promise.all(
    NAMES.flatMap((name) =>
      SERVICES.map(async (service) => {
        const tag = (await harness.digest(service)).replace(":", "-");
        return (await harness.tags(name, service)).includes(tag) ? [`${name} ${service}`] : [];
      }),
    ),
  );
  return found.flat();
}
const EVERYWHERE = NAMES.flatMap((name) => SERVICES.map((service) => `${name} ${service}`));

/** As Aliyun's ACR: attestations and documents without an image's config are no manifests there. */
const PICKY: Fault = {
  kind: "refuse-manifest",
  like: /application\/vnd\.oci\.empty|attestation-manifest|"layers":\[\]/,
  status: 403,
  body: '{"errors":[{"code":"DENIED","message":"unknown manifest class for application/vnd.oci.empty.v1+json"}]}',
};

describe("A registry that refuses attestations and documents with an empty config", () => {
  it("takes an image that was built with attestations: none of them is released", async () => {
    const harness = await registries.harness({ attestation: true });
    harness.fail(PICKY, "every write");
    const outcome = await harness.release();
    await expectComplete(harness, outcome);
    expect(harness.struck()).toBe(0);
  });

  it("loses no release for the record it refuses: all tags are out, and the report says what to do", async () => {
    const harness = await registries.harness({ record: true });
    harness.fail(PICKY, "every write");
    const outcome = await harness.release();
    expect(harness.struck()).toBe(1);
    await expectReleased(harness);
    expect(outcome.ok).toBe(false);
    expect(outcome.released.services.map(({ state }) => state)).toEqual(["released", "released"]);
    expect(rowOf(outcome)).toMatchObject({
      record: "failed",
      problems: [
        {
          what: expect.stringMatching(/release record could not be put .* unknown manifest class/) as string,
          remedy: expect.stringContaining('"referrers": false') as string,
        },
      ],
    });
    expect(await lists(harness)).toEqual(EVERYWHERE.filter((place) => place !== "dockerhub tgo-web"));

    await harness.mend();
    await expectComplete(harness, await harness.release());
    expect(await lists(harness)).toEqual(EVERYWHERE);
  });

  it("gets the record after answers that fail", async () => {
    const harness = await registries.harness({ record: true });
    for (const point of ["a document's list", "a variant's manifest"] as const)
      harness.fail({ kind: "answer", status: 503 }, point, 2);
    const outcome = await harness.release();
    await expectComplete(harness, outcome);
    expect(harness.struck()).toBe(4);
    expect(outcome.retries.length).toBeGreaterThanOrEqual(4);
    expect(await lists(harness)).toEqual(EVERYWHERE);
  });
});

describe("A registry that begins to rewrite manifests after the gate", () => {
  it("has no version of ours: latest moves nowhere, the way out is told, and then the same command finishes", async () => {
    const harness = await registries.harness();
    harness.fail({ kind: "rewrite" }, "the version's tag");
    const outcome = await harness.release();
    expect(outcome.ok).toBe(false);
    expect(outcome.said).toMatch(/stored the manifest under sha256:\w+, it was sent as sha256/);
    expect(outcome.said).toMatch(
      /rewrites manifests. Push to it directly.*If 1\.2\.3 is there now, remove it/,
    );
    expect((await harness.released()).filter((tag) => tag.endsWith("tgo-web latest"))).toEqual([]);

    // A version's tag never changes, not even this one: whoever owns the registry has to take it away.
    await harness.mend();
    const again = await harness.release();
    expect([again.ok, again.released.gate.open]).toEqual([false, false]);
    expect(again.said).toMatch(/1\.2\.3 already exists.*a version's tag never changes/);
    await harness.remove(FAULTY.registry, FAULTY.service, "1.2.3");
    await expectComplete(harness, await harness.release());
  });

  it("is noticed when it does so in silence", async () => {
    const harness = await registries.harness();
    harness.fail({ kind: "rewrite", silent: true }, "the version's tag");
    const outcome = await harness.release();
    expect(outcome.ok).toBe(false);
    expect(outcome.said).toMatch(/tgo-web/);
    expect((await harness.released()).filter((tag) => tag.endsWith("tgo-web latest"))).toEqual([]);
    await harness.mend();
    await harness.remove(FAULTY.registry, FAULTY.service, "1.2.3");
    await expectComplete(harness, await harness.release());
  });

  it("may have latest of other bytes: that is told, with the command that mends it", async () => {
    const harness = await registries.harness();
    harness.fail({ kind: "rewrite" }, "the tag latest");
    const outcome = await harness.release();
    expect(outcome.ok).toBe(false);
    expect(outcome.said).toMatch(
      /rewrites manifests. Push to it directly.*same command again, with --adopt-latest/,
    );
    await harness.mend();
    await expectComplete(harness, await harness.release({ adopt: true }));
  });
});
