import { isIndex, type Descriptor } from "@tgo/registry";
import { BOTH_PLATFORMS, MemoryRegistry, stageImage } from "@tgo/testing";
import { beforeEach, describe, expect, test } from "vitest";
import {
  attest,
  CYCLONEDX_PREDICATE,
  keySigner,
  PROVENANCE_PREDICATE,
  readTrust,
  SIGNATURE_PREDICATE,
  verifyAttestations,
  type Attestation,
  type AttestationTarget,
  type TrustedKey,
} from "../src/index.js";
import { newKey } from "./keys.js";

const REVISION = "0123456789abcdef0123456789abcdef01234567";
const KEY = newKey();
const OTHER_KEY = newKey();

let registries: [MemoryRegistry, MemoryRegistry];
let index: Descriptor;
let platforms: Descriptor[];

const target = (registry: MemoryRegistry): AttestationTarget => ({
  name: registry.host,
  registry: registry.client(),
  repository: "t/app",
  config: "empty",
});
const signature = (subject: Descriptor): Attestation => ({
  subject,
  predicateType: SIGNATURE_PREDICATE,
  predicate: {},
});
const provenance = (subject: Descriptor, gitCommit: string): Attestation => ({
  subject,
  predicateType: PROVENANCE_PREDICATE,
  predicate: { buildDefinition: { resolvedDependencies: [{ uri: "git+https://x", digest: { gitCommit } }] } },
});

beforeEach(async () => {
  registries = [new MemoryRegistry("ghcr.io"), new MemoryRegistry("docker.io")];
  for (const registry of registries)
    await stageImage(
      registry.client(),
      "t/app",
      "1.0.0",
      BOTH_PLATFORMS.map((platform) => ({ platform })),
    );
  const { descriptor, value } = await registries[0].client().manifest("t/app", "1.0.0");
  index = descriptor;
  platforms = isIndex(value) ? [...value.manifests] : [];
});

/** Signs with a key, and attaches to these registries. */
async function sign(
  attestations: readonly Attestation[] = [index, ...platforms].map(signature),
  { pem } = KEY,
  to: readonly MemoryRegistry[] = registries,
): Promise<void> {
  await attest(to.map(target), attestations, {
    signer: keySigner({ pem }),
    trust: readTrust({ keys: [], identities: [] }),
  });
}

/** The problems of each registry, and what was seen. */
async function verify(
  key: Partial<TrustedKey> = {},
  required = true,
): Promise<{ problems: string[][]; evidence: readonly string[]; notes: readonly string[] }> {
  const { problems, evidence, notes } = await verifyAttestations({
    places: registries.map(target),
    subjects: [
      { name: "index", digest: index.digest, mustBeSigned: required },
      ...platforms.map(({ digest }, at) => ({
        name: BOTH_PLATFORMS[at] ?? "",
        digest,
        mustBeSigned: required,
      })),
    ],
    trust: readTrust({ keys: [{ name: "release", pem: KEY.publicPem, ...key }], identities: [] }),
    remedies: { restore: "promote", other: "release" },
    revision: REVISION,
  });
  return { problems: [...problems.values()].map((list) => list.map(({ what }) => what)), evidence, notes };
}

/** Replaces every blob of bundles in a registry. */
function rewriteBundles(registry: MemoryRegistry, change: (text: string) => string): void {
  for (const [name, bytes] of registry.blobs) {
    const text = new TextDecoder().decode(bytes);
    if (text.includes("dsseEnvelope")) registry.blobs.set(name, new TextEncoder().encode(change(text)));
  }
}

test("signatures of the index and of both platforms are verified in every registry", async () => {
  await sign();
  expect(await verify()).toEqual({
    problems: [[], []],
    evidence: ["index", ...BOTH_PLATFORMS].map((name) => `${name}: signature by key release`),
    notes: [],
  });
});

describe("what is wrong is named:", () => {
  test("an image without a signature, if the policy needs one", async () => {
    expect((await verify()).problems[0]).toEqual(
      ["index", ...BOTH_PLATFORMS].map((name) => `${name}: it has no trusted signature`),
    );
    expect((await verify({}, false)).problems).toEqual([[], []]);
  });

  test("the wrong key", async () => {
    await sign(undefined, OTHER_KEY);
    const { problems, notes } = await verify();
    expect(problems[0]?.[0]).toMatch(
      /^index: it has no trusted signature: it is signed by a key that is not trusted/,
    );
    expect(notes[0]).toMatch(/^index in ghcr.io: it is signed by a key that is not trusted/);
  });

  test("a revoked key, and one that expired", async () => {
    await sign();
    expect((await verify({ revoked: true })).problems[0]?.[0]).toBe(
      "index: signature: it is signed by the revoked key release",
    );
    expect((await verify({ expires: "2020-01-01" })).problems[0]?.[0]).toBe(
      "index: signature: it is signed by the key release, which expired at 2020-01-01",
    );
    expect((await verify({ expires: "2999-01-01" })).problems).toEqual([[], []]);
  });

  test("a statement that was changed after it was signed", async () => {
    await sign();
    // The registry serves other bytes than its digests say: the client refuses them before they are parsed.
    rewriteBundles(registries[1], (text) => text.replace("eyJ", "eyI"));
    const { problems } = await verify();
    expect(problems[0]).toEqual([]);
    expect(problems[1]?.[0]).toMatch(/^index: /);
  });

  test("a tampered bundle that was pushed anew", async () => {
    await sign([signature(index)]);
    const [found] = [...registries[0].blobs.values()]
      .map((bytes) => new TextDecoder().decode(bytes))
      .filter((text) => text.includes("dsseEnvelope"));
    const bundle = JSON.parse(found ?? "") as { dsseEnvelope: { payload: string } };
    const statement = Buffer.from(bundle.dsseEnvelope.payload, "base64").toString();
    bundle.dsseEnvelope.payload = Buffer.from(
      statement.replace('"predicate":{}', '"predicate":{"a":1}'),
    ).toString("base64");
    await registries[1].client().attach("t/app", index, [
      {
        type: "application/vnd.dev.sigstore.bundle.v0.3+json",
        content: new TextEncoder().encode(JSON.stringify(bundle)),
      },
    ]);
    expect((await verify({}, false)).problems).toEqual([
      [],
      ["index: signature: its content is not what the key release signed"],
    ]);
  });

  test("the SBOM of the other platform", async () => {
    await sign();
    const [one, other] = platforms as [Descriptor, Descriptor];
    // Signed for the other platform, and attached to this one.
    const sbom = {
      subject: other,
      predicateType: CYCLONEDX_PREDICATE,
      predicate: { bomFormat: "CycloneDX" },
    };
    const bundle = await keySigner(KEY).sign((await import("../src/index.js")).statementBytes(sbom));
    for (const registry of registries)
      await registry
        .client()
        .attach("t/app", one, [{ type: "application/vnd.dev.sigstore.bundle.v0.3+json", content: bundle }]);
    const { problems } = await verify();
    expect(problems).toEqual(
      registries.map(() => [
        `${BOTH_PLATFORMS[0]}: CycloneDX SBOM is about another manifest: ${other.digest}`,
      ]),
    );
  });

  test("the provenance of another commit", async () => {
    await sign([...[index, ...platforms].map(signature), provenance(index, "f".repeat(40))]);
    expect((await verify()).problems[0]).toEqual([
      `index: the provenance is of commit ${"f".repeat(40)}, the image of ${REVISION}`,
    ]);
  });

  test("a list that lost an entry, and a registry that takes and forgets", async () => {
    await sign();
    for (const key of [...registries[1].manifests.keys()])
      if (key.includes(" sha256-")) registries[1].manifests.delete(key);
    const { problems } = await verify();
    expect(problems[0]).toEqual([]);
    expect(problems[1]).toHaveLength(3);
    expect(problems[1]?.[0]).toMatch(
      /^index: it lacks the signature sha256:[0-9a-f]{64}, which ghcr.io has$/,
    );
    // The same command again brings it back, with the same bytes.
    const again = await attest(registries.map(target), [index, ...platforms].map(signature), {
      signer: undefined,
      trust: readTrust({ keys: [{ name: "release", pem: KEY.publicPem }], identities: [] }),
    });
    expect(again.targets.map(({ attached }) => attached)).toEqual([0, 3]);
    expect((await verify()).problems).toEqual([[], []]);
  });

  test("an artifact that is listed and gone", async () => {
    await sign();
    const { entries } = await registries[1].client().referrers("t/app", index.digest);
    registries[1].manifests.delete(`t/app ${entries[0]?.digest ?? ""}`);
    expect((await verify()).problems[1]?.[0]).toMatch(
      /^index: the attestation sha256:\w+ is listed, and missing$/,
    );
  });
});
