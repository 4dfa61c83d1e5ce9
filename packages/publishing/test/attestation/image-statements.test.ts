import { generateKeyPairSync } from "node:crypto";
import {
  CYCLONEDX_PREDICATE,
  keySigner,
  PROVENANCE_PREDICATE,
  readAttestations,
  readTrust,
  SPDX_PREDICATE,
} from "@tgo/attestation";
import { MemoryRegistry, stageImage } from "@tgo/testing";
import { beforeEach, expect, test } from "vitest";
import { BuildLedger } from "../../src/attestation/build-ledger.js";
import { createAttestor } from "../../src/attestation/create-attestor.js";
import { imageStatements } from "../../src/attestation/image-statements.js";
import { CANDIDATE_ANNOTATION } from "../../src/candidate/annotations.js";
import type { Prepared } from "../../src/candidate/prepared.js";
import type { Target } from "../../src/targets/target.js";

const REVISION = "0123456789abcdef0123456789abcdef01234567";
const KEY = "0011223344556677";
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const SIGNER = keySigner({ pem: privateKey.export({ type: "pkcs8", format: "pem" }).toString() });

/** A static-web service: its lock is in the source, and in no layer. */
const FILES: Readonly<Record<string, string>> = {
  "package.json": JSON.stringify({ dependencies: { vue: "^3.0.0" } }),
  "yarn.lock": '# yarn lockfile v1\n\n\nvue@^3.0.0:\n  version "3.5.0"\n',
};
const PREPARED = {
  request: {
    name: "web",
    service: {
      title: "Web",
      source: { repository: "https://github.com/tgoai/tgo" },
      build: { strategy: "static-web" },
    },
    platforms: ["linux/amd64", "linux/arm64"],
    source: {
      hash: "a".repeat(64),
      revision: REVISION,
      created: new Date("2026-01-02T03:04:05Z"),
      entries: Object.keys(FILES),
      directory: { file: (name: string) => ({ contents: () => Promise.resolve(FILES[name] ?? "") }) },
    },
    values: {},
    version: undefined,
  },
  key: KEY,
  bases: { "docker.io/library/nginx:alpine": `sha256:${"c".repeat(64)}` },
  buildHash: "fedcba9876543210",
} as unknown as Prepared;

let registries: readonly MemoryRegistry[];
let targets: readonly Target[];
let digest: string;

beforeEach(async () => {
  registries = ["ghcr.io", "acr.example"].map((host) => new MemoryRegistry(host));
  targets = registries.map((registry) => ({
    name: registry.host,
    registry: { host: registry.host, repository: "t/{service}", names: {}, referrers: true },
    client: registry.client(),
  })) as unknown as Target[];
  for (const registry of registries)
    ({ digest } = await stageImage(
      registry.client(),
      "t/web",
      "1",
      ["amd64", "arm64"].map((architecture) => ({
        platform: `linux/${architecture}`,
        layers: [
          [
            {
              path: "var/lib/dpkg/status",
              content: `Package: curl\nArchitecture: ${architecture}\nVersion: 1\n`,
            },
          ],
        ],
      })),
      { annotations: { [CANDIDATE_ANNOTATION]: KEY } },
    ));
});

/** @param fill what the run knows of the image */
async function run(
  fill: (ledger: BuildLedger) => void,
  to: readonly Target[],
  signer: typeof SIGNER | undefined = SIGNER,
): Promise<void> {
  const ledger = new BuildLedger();
  fill(ledger);
  const trust = readTrust({ keys: [{ name: "release", pem: SIGNER.publicKey ?? "" }], identities: [] });
  const statements = [imageStatements(ledger, "https://example.com/builder")];
  const attestor = createAttestor({ targets, signer, trust, required: true, statements });
  await attestor.attach({ service: "web", digest }, to);
}

const knows = (ledger: BuildLedger): void => {
  ledger.addCandidate(PREPARED);
};
const built = (ledger: BuildLedger): void => {
  knows(ledger);
  ledger.addBuilt(digest);
};

/** Predicates of a type, of the index and then of the platforms. */
async function predicates(at: number, type: string): Promise<unknown[]> {
  const [registry, target] = [registries[at]?.client(), targets[at]];
  if (registry === undefined || target === undefined) throw new Error("no registry");
  const { value } = await registry.manifest("t/web", digest);
  const subjects = [digest, ...("manifests" in value ? value.manifests.map((child) => child.digest) : [])];
  const found = await Promise.all(
    subjects.map((subject) =>
      readAttestations({ registry, repository: "t/web" }, subject, { predicateTypes: [type] }),
    ),
  );
  return found
    .flat()
    .flatMap(({ statement }) => (statement?.predicateType === type ? statement.predicate : []));
}

test("the run that builds signs provenance of every manifest, and bills of each platform with the lock's packages", async () => {
  await run(built, targets);
  for (const at of [0, 1]) {
    expect(await predicates(at, PROVENANCE_PREDICATE)).toHaveLength(3);
    expect(await predicates(at, SPDX_PREDICATE)).toHaveLength(2);
    expect(await predicates(at, CYCLONEDX_PREDICATE)).toMatchObject(
      ["amd64", "arm64"].map((architecture) => ({
        components: [{ purl: `pkg:deb/debian/curl@1?arch=${architecture}` }, { purl: "pkg:npm/vue@3.5.0" }],
      })),
    );
  }
  expect(await predicates(0, PROVENANCE_PREDICATE)).toMatchObject(
    Array(3).fill({
      buildDefinition: {
        externalParameters: { source: { revision: REVISION } },
        internalParameters: { candidate: KEY },
      },
    }),
  );
});

test("a run that finds the image says nothing of how it was built, and carries on what was said", async () => {
  await run(knows, targets);
  expect(await predicates(0, PROVENANCE_PREDICATE)).toEqual([]);
  expect(await predicates(0, SPDX_PREDICATE)).toHaveLength(2);

  await run(built, targets.slice(0, 1));
  expect(await predicates(1, PROVENANCE_PREDICATE)).toEqual([]);
  await run(knows, targets, undefined);
  expect(await predicates(1, PROVENANCE_PREDICATE)).toHaveLength(3);
});

test("nothing but a signature is made for an image whose source the run did not read", async () => {
  await run(() => undefined, targets);
  for (const type of [PROVENANCE_PREDICATE, SPDX_PREDICATE, CYCLONEDX_PREDICATE])
    expect(await predicates(0, type)).toEqual([]);
});
