import { generateKeyPairSync } from "node:crypto";
import { keySigner, readAttestations, readTrust, type Signer } from "@tgo/attestation";
import { errorResponse } from "@tgo/testing";
import { isRetryable } from "@tgo/report";
import { beforeEach, describe, expect, it } from "vitest";
import { createAttestor } from "../../src/attestation/create-attestor.js";
import type { TargetContext } from "../../src/targets/publish-context.js";
import { MemoryHarness } from "./memory-harness.js";
import { NAMES, SERVICES, type RegistryName } from "./release-subjects.js";
import { SyntheticEngine } from "./synthetic-candidates.js";

const [SERVICE] = SERVICES;
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const KEY = keySigner({ pem: privateKey.export({ type: "pkcs8", format: "pem" }).toString() });

let harness: MemoryHarness;
let signed: number;

beforeEach(() => {
  signed = 0;
  harness = new MemoryHarness({ referrers: NAMES });
  harness.engine.handsOnProofs = true;
});

/** The release's context, with signatures by this key. */
function signing(
  options: { readonly signer?: Signer | undefined; readonly required?: boolean } = {},
): TargetContext {
  const { required = true } = options;
  const context = harness.context();
  const signer = "signer" in options ? options.signer : KEY;
  const counting = signer && {
    ...signer,
    sign: (statement: Uint8Array) => {
      signed++;
      return signer.sign(statement);
    },
  };
  const trust = readTrust({ keys: [{ name: "release", pem: KEY.publicKey ?? "" }], identities: [] });
  const attestor = createAttestor({ targets: context.targets, signer: counting, trust, required });
  return { ...context, attestor };
}

/** Digests of the bundles that a registry lists for an image's index. */
async function bundles(name: RegistryName, service = SERVICE): Promise<string[]> {
  const registry = harness.registries[name].client();
  const digest = harness.digestAt(name, service, "1.2.3") ?? "";
  const found = await readAttestations({ registry, repository: `tgoai/${service}` }, digest);
  return found.map((one) => one.digest);
}

describe("A release with a key", () => {
  it("signs every index and platform and their proofs once, has the same bundles everywhere, and signs nothing again", async () => {
    expect((await harness.release("1.2.3", {}, signing())).ok).toBe(true);
    expect(signed).toBe(SERVICES.length * 5);
    const lists = await Promise.all(NAMES.map((name) => bundles(name)));
    expect(lists[0]).toHaveLength(1);
    expect(new Set(lists.flat()).size).toBe(1);
    expect((await harness.release("1.2.3", {}, signing())).ok).toBe(true);
    expect(signed).toBe(SERVICES.length * 5);
  });

  it("writes lists before the version's tag", async () => {
    await harness.release("1.2.3", {}, signing());
    const puts = harness.registries.ghcr
      .requests("PUT")
      .filter((put) => put.includes(`${SERVICE}/manifests/`));
    const version = puts.findIndex((put) => put.endsWith("/1.2.3"));
    // The release record, which says what has been tagged, extends the index's list afterwards.
    const lists = puts.slice(0, version).filter((put) => put.includes("/sha256-"));
    expect(new Set(lists).size).toBe(3);
  });

  it("brings back what a registry lost, without the key", async () => {
    await harness.release("1.2.3", {}, signing());
    const before = await bundles("ghcr");
    const { manifests } = harness.registries.dockerhub;
    for (const name of [...manifests.keys()]) if (name.includes(" sha256-")) manifests.delete(name);
    expect(await bundles("dockerhub")).toEqual([]);
    const again = await harness.release("1.2.3", {}, signing({ signer: undefined }));
    expect(again.ok).toBe(true);
    expect(await bundles("dockerhub")).toEqual(before);
  });

  it("writes no tag without a signature that the policy needs", async () => {
    const released = await harness.release("1.2.3", {}, signing({ signer: undefined }));
    expect(released.ok).toBe(false);
    expect(harness.everywhere("1.2.3")).toEqual(harness.everywhere("1.2.3").map(() => undefined));
    const problems = released.services.flatMap(({ registries }) => registries.flatMap((row) => row.problems));
    expect(problems[0]).toMatchObject({
      what: "no trusted signature of the image was found, and there is no key to sign it with",
      remedy: "Add --signing-key to the command, or --identity-token in CI.",
    });
    // So no report offers the same command as the next one.
    expect(isRetryable(released)).toBe(false);
  });

  it("writes no tag if the signer fails", async () => {
    const broken = { ...KEY, sign: () => Promise.reject(new Error("no network")) };
    const released = await harness.release("1.2.3", {}, signing({ signer: broken, required: false }));
    expect(released.ok).toBe(false);
    expect(new Set(harness.everywhere("1.2.3"))).toEqual(new Set([undefined]));
  });

  it("is complete where a registry refuses artifacts, unless the policy needs signatures", async () => {
    harness.registries.dockerhub.intercept = ({ method, body }) =>
      method === "PUT" && body.includes("vnd.oci.empty")
        ? errorResponse(403, "DENIED", "unknown manifest class for application/vnd.oci.empty.v1+json")
        : undefined;
    const context = signing({ required: false });
    const released = await harness.release("1.2.3", {}, context);
    // The release record is refused as well; the images and their tags are there.
    expect(released.services.map(({ state }) => state)).toEqual(SERVICES.map(() => "released"));
    expect(new Set(harness.everywhere("1.2.3"))).not.toContain(undefined);
    expect(released.services[0]?.notes.join("\n")).toContain("dockerhub has no attestations: ");
    harness = new MemoryHarness({ referrers: NAMES });
    harness.registries.dockerhub.intercept = ({ method, body }) =>
      method === "PUT" && body.includes("vnd.oci.empty") ? errorResponse(403, "DENIED", "no") : undefined;
    const refused = await harness.release("1.2.3", {}, signing());
    expect(refused.ok).toBe(false);
    expect(new Set(harness.everywhere("1.2.3"))).toEqual(new Set([undefined]));
  });

  it("skips registries that take no artifacts, and says so", async () => {
    harness = new MemoryHarness({ referrers: ["ghcr"] });
    const released = await harness.release("1.2.3", {}, signing());
    expect(released.ok).toBe(true);
    expect(released.services[0]?.notes.join("\n")).toContain(
      'dockerhub takes no attestations: "referrers" is false in its catalog entry',
    );
    expect(await bundles("dockerhub")).toEqual([]);
  });

  it("is believed by an engine that has no proof, under a trusted signature only: nothing is run again", async () => {
    await harness.release("1.2.3", {}, signing());
    harness.engine = new SyntheticEngine();
    expect((await harness.release("1.2.3", {}, signing({ signer: undefined }))).ok).toBe(true);
    expect(harness.engine.tested).toEqual([]);
    expect(harness.built).toHaveLength(SERVICES.length);
    // Nobody trusts the key: what was found is tested.
    harness.engine = new SyntheticEngine();
    const context = harness.context();
    const trust = readTrust({ keys: [], identities: [] });
    const attestor = createAttestor({ targets: context.targets, signer: undefined, trust, required: false });
    expect((await harness.release("1.2.3", {}, { ...context, attestor })).ok).toBe(true);
    expect(harness.engine.tested).toHaveLength(SERVICES.length);
  });
});
