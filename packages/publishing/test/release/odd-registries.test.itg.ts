import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Fault } from "@tgo/testing";
import { expectComplete, expectReleased } from "./expectations.js";
import { FAULTY, NAMES, SERVICES } from "./release-subjects.js";
import { RealRegistries } from "./real-registries.js";
import { ReleaseHarness, type Outcome } from "./release-harness.js";

let registries: RealRegistries;

beforeAll(async () => {
  registries = await RealRegistries.start();
});
afterAll(async () => {
  await registries.stop();
});

/** The row of the service in the failing registry. */
function rowOf({
  released,
}: Outcome): NonNullable<Outcome["released"]["services"][number]["registries"][number]> {
  const report = released.services.find(({ service }) => service === FAULTY.service);
  const row = report?.registries.find(({ registry }) => registry === FAULTY.registry);
  if (row === undefined) throw new Error("no such row");
  return row;
}

/** The repositories with a referrers tag: those that have the record. */
async function withReferrersTag(harness: ReleaseHarness): Promise<string[]> {
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

/** Like Aliyun's ACR: refuses attestations, and artifacts without an image config. */
const REFUSE_ARTIFACTS: Fault = {
  kind: "refuse-manifest",
  like: /application\/vnd\.oci\.empty|attestation-manifest|"layers":\[\]/,
  status: 403,
  body: '{"errors":[{"code":"DENIED","message":"unknown manifest class for application/vnd.oci.empty.v1+json"}]}',
};

describe("A registry that refuses attestations and artifacts with an empty config", () => {
  it("accepts an image built with attestations: none of them is released", async () => {
    const harness = await ReleaseHarness.create(registries, { attestation: true });
    harness.fail(REFUSE_ARTIFACTS, "any write");
    const outcome = await harness.release();
    await expectComplete(harness, outcome);
    expect(harness.faultCount()).toBe(0);
  });

  it("gets all tags although it refuses the record, and the report has the remedy", async () => {
    const harness = await ReleaseHarness.create(registries, { record: true });
    harness.fail(REFUSE_ARTIFACTS, "any write");
    const outcome = await harness.release();
    expect(harness.faultCount()).toBe(1);
    await expectReleased(harness);
    expect(outcome.ok).toBe(false);
    expect(outcome.released.services.map(({ state }) => state)).toEqual(["released", "released"]);
    expect(rowOf(outcome)).toMatchObject({
      record: "failed",
      problems: [
        {
          what: expect.stringMatching(
            /release record could not be attached .* unknown manifest class/,
          ) as string,
          remedy: expect.stringContaining('"referrers": false') as string,
        },
      ],
    });
    expect(await withReferrersTag(harness)).toEqual(
      EVERYWHERE.filter((repository) => repository !== "dockerhub tgo-web"),
    );

    await harness.repair();
    await expectComplete(harness, await harness.release());
    expect(await withReferrersTag(harness)).toEqual(EVERYWHERE);
  });

  it("gets the record after failed responses", async () => {
    const harness = await ReleaseHarness.create(registries, { record: true });
    for (const kind of ["referrers write", "variant write"] as const)
      harness.fail({ kind: "answer", status: 503 }, kind, 2);
    const outcome = await harness.release();
    await expectComplete(harness, outcome);
    expect(harness.faultCount()).toBe(4);
    expect(outcome.retries.length).toBeGreaterThanOrEqual(4);
    expect(await withReferrersTag(harness)).toEqual(EVERYWHERE);
  });
});

describe("A registry that starts to rewrite manifests after the gate", () => {
  it("keeps latest from moving; once its owner removes the tag, the same command finishes", async () => {
    const harness = await ReleaseHarness.create(registries);
    harness.fail({ kind: "rewrite" }, "version write");
    const outcome = await harness.release();
    expect(outcome.ok).toBe(false);
    expect(outcome.text).toMatch(/stored the manifest under sha256:\w+, it was sent as sha256/);
    expect(outcome.text).toMatch(
      /rewrites manifests. Push to it directly.*If 1\.2\.3 is there now, remove it/,
    );
    expect((await harness.publicTags()).filter((tag) => tag.endsWith("tgo-web latest"))).toEqual([]);

    // A version's tag never changes, not even this one: the registry's owner has to remove it.
    await harness.repair();
    const again = await harness.release();
    expect([again.ok, again.released.gate.open]).toEqual([false, false]);
    expect(again.text).toMatch(/1\.2\.3 already exists.*a version's tag never changes/);
    await harness.remove(FAULTY.registry, FAULTY.service, "1.2.3");
    await expectComplete(harness, await harness.release());
  });

  it("is noticed if it does so silently", async () => {
    const harness = await ReleaseHarness.create(registries);
    harness.fail({ kind: "rewrite", silent: true }, "version write");
    const outcome = await harness.release();
    expect(outcome.ok).toBe(false);
    expect(outcome.text).toMatch(/tgo-web/);
    expect((await harness.publicTags()).filter((tag) => tag.endsWith("tgo-web latest"))).toEqual([]);
    await harness.repair();
    await harness.remove(FAULTY.registry, FAULTY.service, "1.2.3");
    await expectComplete(harness, await harness.release());
  });

  it("may have latest with other bytes: that is reported, with the command that repairs it", async () => {
    const harness = await ReleaseHarness.create(registries);
    harness.fail({ kind: "rewrite" }, "latest write");
    const outcome = await harness.release();
    expect(outcome.ok).toBe(false);
    expect(outcome.text).toMatch(
      /rewrites manifests. Push to it directly.*same command again, with --adopt-latest/,
    );
    await harness.repair();
    await expectComplete(harness, await harness.release({ adopt: true }));
  });
});
