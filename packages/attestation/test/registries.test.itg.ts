import { generateKeyPairSync } from "node:crypto";
import { Registry, type Descriptor } from "@tgo/registry";
import { BOTH_PLATFORMS, stageImage, startRegistry, type LocalRegistry } from "@tgo/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  attest,
  keySigner,
  readTrust,
  SIGNATURE_PREDICATE,
  verifyAttestations,
  type AttestationTarget,
} from "../src/index.js";

let servers: LocalRegistry[] = [];
let subject: Descriptor;

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const signer = keySigner({ pem: privateKey.export({ type: "pkcs8", format: "pem" }).toString() });
const trust = readTrust({ keys: [{ name: "release", pem: signer.publicKey ?? "" }], identities: [] });

beforeAll(async () => {
  servers = await Promise.all([false, true].map((imagesOnly) => startRegistry({ auth: "none", imagesOnly })));
  for (const { host } of servers) {
    const registry = new Registry({ host });
    await stageImage(
      registry,
      "t/app",
      "1.0.0",
      BOTH_PLATFORMS.map((platform) => ({ platform })),
    );
    const found = await registry.resolve("t/app", "1.0.0");
    if (found !== undefined) subject = found;
  }
});

afterAll(() => Promise.all(servers.map((server) => server.stop())));

const targets = (imagesOnly: AttestationTarget["config"]): AttestationTarget[] =>
  servers.map(({ host }, at) => ({
    name: at === 0 ? "usual" : "images only",
    registry: new Registry({ host }),
    repository: "t/app",
    config: at === 0 ? "empty" : imagesOnly,
  }));

test("a registry that accepts only images refuses the empty config, and takes the same bundle with an image's", async () => {
  const attestations = [{ subject, predicateType: SIGNATURE_PREDICATE, predicate: {} }];
  const refused = await attest(targets("empty"), attestations, { signer, trust });
  expect(refused.targets.map(({ attached, problem }) => [attached, problem?.code])).toEqual([
    [1, undefined],
    [0, "DENIED"],
  ]);
  expect(refused.targets[1]?.problem?.what).toContain("unknown manifest class");
  const taken = await attest(targets("image-config"), attestations, { signer, trust });
  expect(taken.statements[0]).toMatchObject({ state: "found", bundle: refused.statements[0]?.bundle });
  expect(taken.targets.map(({ attached, present }) => [attached, present])).toEqual([
    [0, 1],
    [1, 0],
  ]);
  const { problems, evidence } = await verifyAttestations({
    places: targets("image-config"),
    subjects: [{ name: "index", digest: subject.digest, mustBeSigned: true }],
    trust,
    remedies: { restore: "copy it", other: "sign it" },
  });
  expect([...problems.values()]).toEqual([[], []]);
  expect(evidence).toEqual(["index: signature by key release"]);
});
