import { digestOf, isIndex, type Descriptor } from "@tgo/registry";
import { BOTH_PLATFORMS, MemoryRegistry, stageImage } from "@tgo/testing";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import {
  attest,
  BUNDLE_TYPE,
  CYCLONEDX_PREDICATE,
  keySigner,
  PROOF_PREDICATE,
  PROVENANCE_PREDICATE,
  readTrust,
  SIGNATURE_PREDICATE,
  SPDX_PREDICATE,
  statementBytes,
  verifyAttestations,
  type Attestation,
  type AttestationTarget,
  type Signer,
} from "../src/index.js";
import { newKey } from "./keys.js";

const REPOSITORY = "t/app";
const REVISION = "0123456789abcdef0123456789abcdef01234567";
const KEYS = { release: newKey(), other: newKey(), old: newKey(), stolen: newKey() };
const SIGNERS = Object.fromEntries(
  Object.entries(KEYS).map(([name, { pem }]) => [name, keySigner({ pem })]),
) as Record<keyof typeof KEYS, Signer>;
const TRUST = readTrust({
  keys: [
    { name: "release", pem: KEYS.release.publicPem },
    { name: "old", pem: KEYS.old.publicPem, expires: "2020-01-01" },
    { name: "stolen", pem: KEYS.stolen.publicPem, revoked: true },
  ],
  identities: [],
});

/** The registry that is tampered with, and one that is not. */
let tampered: MemoryRegistry;
let whole: MemoryRegistry;
let index: Descriptor;
let amd64: Descriptor;
let arm64: Descriptor;

const targetOf = (registry: MemoryRegistry): AttestationTarget => ({
  name: registry.host,
  registry: registry.client(),
  repository: REPOSITORY,
  config: "empty",
});
const provenance = (gitCommit: string): object => ({
  buildDefinition: { resolvedDependencies: [{ uri: "git+https://x", digest: { gitCommit } }] },
});

/** What a release attaches. */
function everything(): Attestation[] {
  const each = (subjects: readonly Descriptor[], predicateType: string, predicate: unknown): Attestation[] =>
    subjects.map((subject) => ({ subject, predicateType, predicate }));
  return [
    ...each([index, amd64, arm64], SIGNATURE_PREDICATE, {}),
    ...each([index, amd64, arm64], PROVENANCE_PREDICATE, provenance(REVISION)),
    ...each([amd64, arm64], CYCLONEDX_PREDICATE, { bomFormat: "CycloneDX" }),
    ...each([amd64, arm64], SPDX_PREDICATE, { spdxVersion: "SPDX-2.3" }),
    ...each([amd64, arm64], PROOF_PREDICATE, { tests: "t" }),
  ];
}

beforeEach(async () => {
  tampered = new MemoryRegistry("docker.io");
  whole = new MemoryRegistry("ghcr.io");
  for (const registry of [tampered, whole])
    await stageImage(
      registry.client(),
      REPOSITORY,
      "1.0.0",
      BOTH_PLATFORMS.map((platform) => ({ platform })),
    );
  const { descriptor, value } = await whole.client().manifest(REPOSITORY, "1.0.0");
  index = descriptor;
  [amd64, arm64] = (isIndex(value) ? value.manifests : []) as [Descriptor, Descriptor];
  await attest([tampered, whole].map(targetOf), everything(), { signer: SIGNERS.release, trust: TRUST });
});

/** The problems of the registry that was tampered with, and of the other one. */
async function verify(): Promise<{ here: string[]; there: string[] }> {
  const { problems } = await verifyAttestations({
    places: [tampered, whole].map(targetOf),
    subjects: [index, amd64, arm64].map(({ digest }, at) => ({
      name: ["index", ...BOTH_PLATFORMS][at] ?? "",
      digest,
      mustBeSigned: true,
    })),
    trust: TRUST,
    remedies: { restore: "promote", other: "release" },
    revision: REVISION,
  });
  const [here = [], there = []] = [...problems.values()].map((list) => list.map(({ what }) => what));
  return { here, there };
}

/** Predicates, and their names in messages. */
const NAMES = [
  [SIGNATURE_PREDICATE, "signature"],
  [PROVENANCE_PREDICATE, "provenance"],
  [CYCLONEDX_PREDICATE, "CycloneDX SBOM"],
  [SPDX_PREDICATE, "SPDX SBOM"],
  [PROOF_PREDICATE, "proof"],
] as const;

interface Envelope {
  payload: string;
  payloadType: string;
  signatures: { sig: string }[];
}
interface Manifest {
  layers: { digest: string; size: number; mediaType: string }[];
  subject?: { digest: string };
}

const listKey = ({ digest }: Descriptor): string => `${REPOSITORY} ${digest.replace(":", "-")}`;
const parse = (bytes: Uint8Array | undefined): unknown => JSON.parse(new TextDecoder().decode(bytes));
const bytesOf = (json: unknown): Buffer => Buffer.from(JSON.stringify(json));
/** The artifacts that a subject's list names, with their bundles. */
async function listed(subject: Descriptor) {
  const { entries } = await tampered.client().referrers(REPOSITORY, subject.digest);
  return entries.map((entry) => {
    const key = `${REPOSITORY} ${entry.digest}`;
    const manifest = parse(tampered.manifests.get(key)?.bytes) as Manifest;
    const blob = `${REPOSITORY} ${manifest.layers[0]?.digest ?? ""}`;
    const bundle = parse(tampered.blobs.get(blob)) as { dsseEnvelope: Envelope };
    return { entry, key, manifest, blob, bundle, type: statementIn(bundle).predicateType };
  });
}
type Listed = Awaited<ReturnType<typeof listed>>[number];

function statementIn({ dsseEnvelope }: { dsseEnvelope: Envelope }): {
  predicateType: string;
  predicate: unknown;
} {
  return parse(Buffer.from(dsseEnvelope.payload, "base64")) as ReturnType<typeof statementIn>;
}

async function one(subject: Descriptor, type: string): Promise<Listed> {
  const found = (await listed(subject)).find((each) => each.type === type);
  if (found === undefined) throw new Error(`no ${type}`);
  return found;
}

/** Takes an artifact out of the list, as if it had never been there. */
function unlist(subject: Descriptor, entry: Descriptor): void {
  const list = parse(tampered.manifests.get(listKey(subject))?.bytes) as { manifests: Descriptor[] };
  setList(
    subject,
    list.manifests.filter(({ digest }) => digest !== entry.digest),
  );
}

function setList(subject: Descriptor, manifests: readonly Descriptor[]): void {
  const mediaType = "application/vnd.oci.image.index.v1+json";
  tampered.manifests.set(listKey(subject), {
    mediaType,
    bytes: bytesOf({ schemaVersion: 2, mediaType, manifests }),
  });
}

/** Puts another bundle in an artifact's place: everything that names it fits, but for the signature. */
async function replace(
  subject: Descriptor,
  found: Listed,
  change: (envelope: Envelope) => void,
): Promise<void> {
  unlist(subject, found.entry);
  change(found.bundle.dsseEnvelope);
  await attachBundle(subject, bytesOf(found.bundle));
}

async function attachBundle(subject: Descriptor, content: Uint8Array): Promise<void> {
  await tampered.client().attach(REPOSITORY, subject, [{ type: BUNDLE_TYPE, content }]);
}

async function attachSigned(subject: Descriptor, said: Attestation, signer: Signer): Promise<void> {
  await attachBundle(subject, await signer.sign(statementBytes(said)));
}

/** Only this signer's signature of the index is left. */
async function resign(signer: Signer): Promise<void> {
  const found = await one(index, SIGNATURE_PREDICATE);
  unlist(index, found.entry);
  await attachSigned(index, { subject: index, predicateType: SIGNATURE_PREDICATE, predicate: {} }, signer);
}

const changedPayload = (envelope: Envelope): void => {
  const statement = parse(Buffer.from(envelope.payload, "base64")) as { predicate: object };
  const changed = { ...statement, predicate: { ...statement.predicate, changed: true } };
  envelope.payload = bytesOf(changed).toString("base64");
};

/** Puts another manifest in the place of that of the index's signature, and lists it. */
async function replaceManifest(change: (manifest: Manifest) => Manifest): Promise<void> {
  const { key, manifest, entry } = await one(index, SIGNATURE_PREDICATE);
  const bytes = bytesOf(change(manifest));
  const digest = digestOf(bytes);
  tampered.manifests.delete(key);
  tampered.manifests.set(`${REPOSITORY} ${digest}`, { mediaType: entry.mediaType, bytes });
  unlist(index, entry);
  const { entries } = await tampered.client().referrers(REPOSITORY, index.digest);
  setList(index, [...entries, { ...entry, digest, size: bytes.length }]);
}

/** What somebody does to one of two registries, and what verification says of it. */
const TAMPERINGS: readonly (readonly [name: string, tamper: () => Promise<void>, found: RegExp])[] = [
  // Of bundles.
  [
    "a bundle's bytes change in the registry's store",
    async () => {
      const { blob, bundle } = await one(index, SIGNATURE_PREDICATE);
      bundle.dsseEnvelope.payload = bundle.dsseEnvelope.payload.toLowerCase();
      tampered.blobs.set(blob, bytesOf(bundle));
    },
    /^index: .*sha256:/,
  ],
  [
    "a bundle is cut off",
    async () => {
      const { blob } = await one(amd64, CYCLONEDX_PREDICATE);
      tampered.blobs.set(blob, (tampered.blobs.get(blob) ?? new Uint8Array()).slice(0, 100));
    },
    /^linux\/amd64: /,
  ],
  [
    "a bundle is replaced by words",
    async () => {
      unlist(index, (await one(index, SIGNATURE_PREDICATE)).entry);
      await attachBundle(index, Buffer.from("signed, honestly"));
    },
    /^index: an attestation cannot be read: it is no Sigstore bundle/,
  ],
  ...NAMES.map(
    ([type, name]) =>
      [
        `the ${name} is changed, and pushed anew`,
        async () => replace(arm64, await one(arm64, type), changedPayload),
        new RegExp(`^linux/arm64: ${name}: its content is not what the key release signed$`),
      ] as const,
  ),
  [
    "the signature is that of another statement",
    async () => {
      const { bundle: other } = await one(index, PROVENANCE_PREDICATE);
      await replace(index, await one(index, SIGNATURE_PREDICATE), (envelope) => {
        envelope.signatures = other.dsseEnvelope.signatures;
      });
    },
    /^index: signature: its content is not what the key release signed$/,
  ],
  [
    "the payload's type is another one",
    async () =>
      replace(index, await one(index, SIGNATURE_PREDICATE), (envelope) => {
        envelope.payloadType = "text/plain";
      }),
    /^index: an attestation cannot be read: what is signed is no in-toto statement$/,
  ],
  [
    "a second signature is added",
    async () =>
      replace(index, await one(index, SIGNATURE_PREDICATE), (envelope) => {
        envelope.signatures = [{ sig: "" }, ...envelope.signatures];
      }),
    /^index: an attestation cannot be read: the envelope has 2 signatures, not one$/,
  ],
  // Of what they are about.
  [
    "the SBOM is that of the other platform",
    async () => {
      unlist(amd64, (await one(amd64, CYCLONEDX_PREDICATE)).entry);
      await attachBundle(amd64, bytesOf((await one(arm64, CYCLONEDX_PREDICATE)).bundle));
    },
    /^linux\/amd64: CycloneDX SBOM is about another manifest: sha256:/,
  ],
  [
    "the signature is that of another image",
    async () => {
      const other = { ...index, digest: digestOf(Buffer.from("another image")) };
      unlist(index, (await one(index, SIGNATURE_PREDICATE)).entry);
      const said = { subject: other, predicateType: SIGNATURE_PREDICATE, predicate: {} };
      await attachSigned(index, said, SIGNERS.release);
    },
    /^index: signature is about another manifest: sha256:/,
  ],
  [
    "the index's signature stands for a platform",
    async () => {
      unlist(amd64, (await one(amd64, SIGNATURE_PREDICATE)).entry);
      await attachBundle(amd64, bytesOf((await one(index, SIGNATURE_PREDICATE)).bundle));
    },
    /^linux\/amd64: signature is about another manifest: sha256:/,
  ],
  [
    "the provenance is of another commit",
    async () => {
      unlist(index, (await one(index, PROVENANCE_PREDICATE)).entry);
      const predicate = provenance("f".repeat(40));
      await attachSigned(
        index,
        { subject: index, predicateType: PROVENANCE_PREDICATE, predicate },
        SIGNERS.release,
      );
    },
    /^index: the provenance is of commit f{40}, the image of 0123/,
  ],
  // Of signers.
  [
    "a stranger's key signed",
    () => resign(SIGNERS.other),
    /^index: it lacks the signature sha256:\w+, which ghcr.io has$/,
  ],
  [
    "a revoked key signed",
    () => resign(SIGNERS.stolen),
    /^index: signature: it is signed by the revoked key stolen$/,
  ],
  [
    "an expired key signed",
    () => resign(SIGNERS.old),
    /^index: signature: it is signed by the key old, which expired at 2020-01-01$/,
  ],
  // Of lists and of what they name.
  ...(
    [
      [() => index, "index"],
      [() => amd64, "linux/amd64"],
      [() => arm64, "linux/arm64"],
    ] as const
  ).map(
    ([subject, name]) =>
      [
        `the list of ${name} is gone`,
        () => {
          tampered.manifests.delete(listKey(subject()));
          return Promise.resolve();
        },
        new RegExp(`^${name}: it lacks the .* sha256:\\w+, which ghcr.io has$`),
      ] as const,
  ),
  [
    "a list is empty",
    () => {
      setList(index, []);
      return Promise.resolve();
    },
    /^index: it lacks the signature sha256:\w+, which ghcr.io has$/,
  ],
  ...NAMES.map(
    ([type, name]) =>
      [
        `a list lost the ${name}`,
        async () => {
          unlist(arm64, (await one(arm64, type)).entry);
        },
        new RegExp(`^linux/arm64: it lacks the ${name} sha256:\\w+, which ghcr.io has$`),
      ] as const,
  ),
  [
    "an artifact's manifest is gone",
    async () => {
      tampered.manifests.delete((await one(arm64, SPDX_PREDICATE)).key);
    },
    /^linux\/arm64: the attestation sha256:\w+ is listed, and missing$/,
  ],
  [
    "an artifact's content is gone",
    async () => {
      tampered.blobs.delete((await one(arm64, PROOF_PREDICATE)).blob);
    },
    /^linux\/arm64: /,
  ],
  [
    "an artifact's manifest names another subject",
    () =>
      replaceManifest((manifest) => ({
        ...manifest,
        subject: { ...manifest.subject, digest: amd64.digest },
      })),
    /^index: it lacks the signature sha256:\w+, which ghcr.io has$/,
  ],
  [
    "an artifact has a layer before its bundle",
    () => {
      const first = { mediaType: "text/plain", digest: digestOf(Buffer.from("x")), size: 1 };
      return replaceManifest(({ layers, ...manifest }) => ({ ...manifest, layers: [first, ...layers] }));
    },
    /^index: it lacks the signature sha256:\w+, which ghcr.io has$/,
  ],
  [
    "a list has more artifacts than anybody reads",
    async () => {
      const { entry } = await one(index, SIGNATURE_PREDICATE);
      setList(
        index,
        Array.from({ length: 101 }, (_, at) => ({ ...entry, digest: digestOf(Buffer.from(`${at}`)) })),
      );
    },
    /^index: 101 attestations are listed; 100 are read$/,
  ],
];

const totals = { tried: 0, found: 0 };
afterAll(() => {
  console.log(`attestations: ${totals.tried} tamperings, ${totals.found} found`);
});

describe("verification finds that", () => {
  test.each(TAMPERINGS)("%s", async (_, tamper, what) => {
    expect(await verify()).toEqual({ here: [], there: [] });
    await tamper();
    totals.tried++;
    const { here, there } = await verify();
    expect(
      here.filter((text) => what.test(text)),
      here.join("\n"),
    ).not.toEqual([]);
    expect(there).toEqual([]);
    totals.found++;
  });
});

test("what one registry lost or was given instead is brought back without a key, by the same bytes", async () => {
  for (const subject of [index, amd64, arm64]) tampered.manifests.delete(listKey(subject));
  const again = await attest([tampered, whole].map(targetOf), everything(), {
    signer: undefined,
    trust: TRUST,
  });
  expect(again.targets.map(({ attached }) => attached)).toEqual([everything().length, 0]);
  expect(await verify()).toEqual({ here: [], there: [] });
});
