import { isIndex, type Descriptor } from "@tgo/registry";
import { BOTH_PLATFORMS, MemoryRegistry, stageImage } from "@tgo/testing";
import { beforeEach, describe, expect, test } from "vitest";
import {
  attest,
  keySigner,
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

test("signatures of the index and of both platforms are verified in every registry", async () => {
  await sign();
  expect(await verify()).toEqual({
    problems: [[], []],
    evidence: ["index", ...BOTH_PLATFORMS].map((name) => `${name}: signature by key release`),
    notes: [],
  });
  expect((await verify({ expires: "2999-01-01" })).problems).toEqual([[], []]);
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
});
