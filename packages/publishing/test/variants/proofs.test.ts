import { generateKeyPairSync } from "node:crypto";
import { BUNDLE_TYPE, keySigner, PROOF_PREDICATE, readTrust, statementBytes } from "@tgo/attestation";
import type { VariantProof } from "@tgo/proof";
import { OCI_MANIFEST, type Descriptor } from "@tgo/registry";
import { MemoryRegistry } from "@tgo/testing";
import { beforeEach, describe, expect, it } from "vitest";
import type { Attestor, ProofClaim } from "../../src/attestation/attestor.js";
import { createAttestor } from "../../src/attestation/create-attestor.js";
import type { Target } from "../../src/targets/target.js";
import { judgeProofs, type ProofDemand } from "../../src/variants/judge-proofs.js";
import { contextOf, KEY, NAME, preparedOf, putVariant, REPOSITORY } from "./stored-variants.js";

const PLATFORM = "linux/arm64";
const DEMAND: ProofDemand = {
  key: KEY,
  pipelines: "p1",
  tests: "t1",
  requireNative: false,
  command: "again",
};
const PROOF: VariantProof = {
  platform: PLATFORM,
  files: 3,
  elf: 1,
  smoke: { machine: "aarch64", lines: ["GET :80/ 200 [native]"], native: true },
};
const EMULATED: VariantProof = {
  ...PROOF,
  smoke: { machine: "aarch64", lines: [], native: false, emulator: "QEMU 8.2.2" },
};

const newKey = (): ReturnType<typeof keySigner> => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return keySigner({ pem: privateKey.export({ type: "pkcs8", format: "pem" }).toString() });
};
const RELEASE = newKey();

let registry: MemoryRegistry;
let subject: Descriptor;

beforeEach(async () => {
  registry = new MemoryRegistry("ghcr.test");
  const digest = await putVariant(registry.client(), preparedOf(), PLATFORM);
  const size = registry.manifests.get(`${REPOSITORY} ${digest}`)?.bytes.length ?? 0;
  subject = { mediaType: OCI_MANIFEST, digest, size };
});

interface BundleParts {
  readonly signer?: ReturnType<typeof keySigner>;
  readonly of?: Descriptor;
  readonly proof?: VariantProof;
  readonly tests?: string;
  readonly origin?: object | null;
}

/** A signed proof of the variant. */
async function bundleOf({
  signer = RELEASE,
  of = subject,
  proof = PROOF,
  tests = DEMAND.tests,
  origin = { key: DEMAND.key, pipelines: DEMAND.pipelines },
}: BundleParts = {}): Promise<Uint8Array<ArrayBuffer>> {
  const predicate = { tests, proof, ...(origin === null ? {} : { origin }) };
  return signer.sign(statementBytes({ subject: of, predicateType: PROOF_PREDICATE, predicate }));
}

async function attach(content: Uint8Array<ArrayBuffer>): Promise<void> {
  const annotations = { "dev.sigstore.bundle.predicateType": PROOF_PREDICATE };
  await registry
    .client()
    .attach(REPOSITORY, subject, [{ type: BUNDLE_TYPE, content, config: "empty", annotations }]);
}

function attestorOf(): { attestor: Attestor; from: { target: Target; service: string } } {
  const { targets } = contextOf([registry]);
  const [target] = targets;
  if (target === undefined) throw new Error("no target");
  const trust = readTrust({ keys: [{ name: "release", pem: RELEASE.publicKey ?? "" }], identities: [] });
  const attestor = createAttestor({ targets, signer: undefined, trust, required: false });
  return { attestor, from: { target, service: NAME } };
}

async function claims(): Promise<readonly ProofClaim[]> {
  const { attestor, from } = attestorOf();
  return attestor.claims(from, subject);
}

const judge = async (demand: Partial<ProofDemand> = {}): Promise<unknown> =>
  judgeProofs({ platform: PLATFORM, manifest: subject.digest }, await claims(), { ...DEMAND, ...demand });

/** Changes the JSON of a bundle. */
function changed(
  bytes: Uint8Array,
  change: (envelope: { payload: string; signatures: { sig: string }[] }) => void,
): Uint8Array<ArrayBuffer> {
  const bundle = JSON.parse(new TextDecoder().decode(bytes)) as {
    dsseEnvelope: { payload: string; signatures: { sig: string }[] };
  };
  change(bundle.dsseEnvelope);
  return new TextEncoder().encode(JSON.stringify(bundle));
}

describe("A variant's proof", () => {
  it("counts, when a trusted key signed it for this candidate", async () => {
    await attach(await bundleOf());
    expect(await judge()).toEqual({ proof: PROOF, signer: "key release" });
  });

  it.each<[string, () => Promise<Uint8Array<ArrayBuffer>> | undefined, RegExp]>([
    ["was never attached", () => undefined, /^it has no signed proof$/],
    [
      "has changed bytes",
      async () =>
        changed(await bundleOf(), (envelope) => {
          const text = Buffer.from(envelope.payload, "base64").toString().replace('"files":3', '"files":4');
          envelope.payload = Buffer.from(text).toString("base64");
        }),
      /^its proof does not count: its content is not what the key release signed$/,
    ],
    [
      "has another signature",
      async () => {
        const other = JSON.parse(new TextDecoder().decode(await bundleOf({ proof: EMULATED }))) as {
          dsseEnvelope: { signatures: { sig: string }[] };
        };
        return changed(await bundleOf(), (envelope) => {
          envelope.signatures = other.dsseEnvelope.signatures;
        });
      },
      /^its proof does not count: its content is not what the key release signed$/,
    ],
    [
      "is signed by nobody known",
      () => bundleOf({ signer: newKey() }),
      /^its proof does not count: .*not trusted/,
    ],
    [
      "is of another image",
      () => bundleOf({ of: { ...subject, digest: `sha256:${"1".repeat(64)}` } }),
      /^its proof is of another image, sha256:1+$/,
    ],
    ["names no candidate", () => bundleOf({ origin: null }), /^its proof names no candidate$/],
    ["is of other tests", () => bundleOf({ tests: "t2" }), /^its proof is of other tests$/],
  ])("that %s says nothing: the variant is run again", async (_, make, reason) => {
    const bundle = await make();
    if (bundle !== undefined) await attach(bundle);
    expect(await judge()).toEqual({ unproven: expect.stringMatching(reason) as string });
  });

  it.each<[string, Parameters<typeof bundleOf>[0], Partial<ProofDemand>, string]>([
    [
      "another candidate",
      { origin: { key: "fedcba9876543210", pipelines: "p1" } },
      {},
      "of another candidate, fedcba9876543210",
    ],
    [
      "other pipelines",
      { origin: { key: KEY, pipelines: "p0" } },
      {},
      "of other pipelines, p0; these are p1",
    ],
    [
      "another platform",
      { proof: { ...PROOF, platform: "linux/amd64" } },
      {},
      "of another platform, linux/amd64",
    ],
    [
      "another machine",
      { proof: { ...PROOF, smoke: { machine: "x86_64", lines: [], native: true } } },
      {},
      "of another machine, x86_64",
    ],
    [
      "emulation, where native is asked for",
      { proof: EMULATED },
      { requireNative: true },
      "of a run under emulation by QEMU 8.2.2, and --require-native was given",
    ],
  ])("of %s is refused", async (_, bundle, demand, reason) => {
    await attach(await bundleOf(bundle));
    await expect(judge(demand)).rejects.toMatchObject({
      code: "VERIFY",
      what: `the proof of linux/arm64 is ${reason} (key release)`,
      where: subject.digest,
    });
  });

  it("of the same tests is not taken for a run of these pipelines, if that matters", async () => {
    const { attestor, from } = attestorOf();
    const tests = { ...from, tests: DEMAND.tests };
    const variants = [{ digest: subject.digest, platform: PLATFORM }];
    await attach(await bundleOf({ origin: { key: KEY, pipelines: "p0" } }));
    const origin = { key: KEY, pipelines: "p1" };
    expect((await attestor.proofs({ ...tests, origin }, variants)).size).toBe(0);
    expect((await attestor.proofs(tests, variants)).size).toBe(1);
    await attach(await bundleOf());
    expect((await attestor.proofs({ ...tests, origin }, variants)).size).toBe(1);
  });

  it("of an emulated run counts where native is not asked for, and a native one before it", async () => {
    await attach(await bundleOf({ proof: EMULATED }));
    expect(await judge()).toMatchObject({ proof: EMULATED });
    await attach(await bundleOf({ origin: { key: KEY, pipelines: "p0" } }));
    await attach(await bundleOf());
    expect(await judge()).toMatchObject({ proof: PROOF });
    expect(await judge({ requireNative: true })).toMatchObject({ proof: PROOF });
  });
});
