import { generateKeyPairSync } from "node:crypto";
import type { Client, File } from "@dagger.io/dagger";
import {
  attest,
  keySigner,
  PROOF_PREDICATE,
  readTrust,
  SIGNATURE_PREDICATE,
  type Attestation,
} from "@tgo/attestation";
import { isIndex, Registry, type Descriptor } from "@tgo/registry";
import type { Report } from "@tgo/report";
import { BOTH_PLATFORMS, stageImage } from "@tgo/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Options } from "../src/options.js";
import { Pipelines } from "../src/pipelines.js";
import { failedReport } from "./support/failed-report.js";
import { RegistryServer } from "./support/registry-servers.js";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const KEY = keySigner({ pem: privateKey.export({ type: "pkcs8", format: "pem" }).toString() });
const PUBLIC = publicKey.export({ type: "spki", format: "pem" }).toString();
const OTHER = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .publicKey.export({ type: "spki", format: "pem" })
  .toString();

const file = (text: string): File => ({ contents: () => Promise.resolve(text) }) as unknown as File;

let servers: [RegistryServer, RegistryServer];
let index: Descriptor;
let platforms: readonly Descriptor[];

beforeEach(async () => {
  servers = [await RegistryServer.start(), await RegistryServer.start()];
  for (const { host } of servers) {
    const registry = new Registry({ host });
    const variants = BOTH_PLATFORMS.map((platform) => ({ platform }));
    await stageImage(registry, "a/app", "1.2.3", variants);
    const { descriptor, value } = await registry.manifest("a/app", "1.2.3");
    index = descriptor;
    platforms = isIndex(value) ? value.manifests : [];
  }
});

afterEach(() => {
  for (const server of servers) server.stop();
});

/** Signs, and attaches to both registries or to the first ones of them. */
async function sign(subjects: readonly Descriptor[], more: readonly Attestation[] = [], registries = 2) {
  const signatures = subjects.map((subject) => ({
    subject,
    predicateType: SIGNATURE_PREDICATE,
    predicate: {},
  }));
  await attest(
    servers.slice(0, registries).map(({ host }) => ({
      name: host,
      registry: new Registry({ host }),
      repository: "a/app",
      config: "empty",
    })),
    [...signatures, ...more],
    { signer: KEY, trust: readTrust({ keys: [], identities: [] }) },
  );
}

function verify(options: Options, catalog: object = {}): Promise<string> {
  const product = { catalog: { services: {}, ...catalog }, pipeline: "test", buildHash: "test" };
  const pipelines = new Pipelines({} as unknown as Client, product, options, {
    local: true,
    progress: () => undefined,
  });
  const reference = servers.map(({ host }) => `${host}/a/app:1.2.3`);
  return pipelines.verify([], { elf: false, fast: true, reference }, "json");
}

const problems = ({ services }: Report): string[] =>
  services.flatMap(({ registries }) => registries.flatMap((row) => row.problems.map(({ what }) => what)));

describe("verify of references", () => {
  it("checks the signatures of whom a flag trusts: the index's is enough, as others sign no more", async () => {
    await sign([index]);
    const report = JSON.parse(await verify({ trustedKey: file(PUBLIC) })) as Report;
    expect(report.services[0]?.checks?.find(({ name }) => name === "signatures")).toMatchObject({
      state: "ok",
      evidence: [
        "index: signature by key of --trusted-key",
        ...BOTH_PLATFORMS.map((platform) => `${platform}: nothing that a trusted signer signed`),
      ],
    });
  });

  it("fails for an image that nobody trusted signed", async () => {
    await sign([index]);
    const found = problems(await failedReport(verify({ trustedKey: file(OTHER) })));
    expect(found).toHaveLength(2);
    expect(found[0]).toMatch(
      /^index: it has no trusted signature: it is signed by a key that is not trusted/,
    );
  });

  it("fails if one registry has a signature, and another one lacks it", async () => {
    await sign([index], [], 1);
    const report = await failedReport(verify({ trustedKey: file(PUBLIC) }));
    expect(problems(report)).toEqual([
      expect.stringMatching(
        new RegExp(`^index: it lacks the signature sha256:\\w+, which ${servers[0].host} has$`),
      ),
    ]);
    expect(report.services[0]?.registries[1]?.state).toBe("failed");
  });

  it("shows what a trusted signer tested", async () => {
    const smoke = { machine: "aarch64", lines: ["GET :8000/health 200"] };
    const [, arm64] = platforms;
    if (arm64 === undefined) throw new Error("there is no second platform");
    const proof = { platform: "linux/arm64", files: 2, elf: 1, smoke };
    const predicate = { tests: "0123456789abcdef", proof };
    await sign([index], [{ subject: arm64, predicateType: PROOF_PREDICATE, predicate }]);
    const report = JSON.parse(await verify({ trustedKey: file(PUBLIC) })) as Report;
    expect(report.services[0]?.variants.map((variant) => variant.smoke)).toEqual([
      undefined,
      { ok: true, ...smoke, recorded: true, signer: "key of --trusted-key" },
    ]);
  });

  it("holds the catalog's images to its policy: every platform's image, too", async () => {
    const registries = Object.fromEntries(
      servers.map(({ host }, at) => [`r${at}`, { host, repository: "a/{service}", referrers: true }]),
    );
    const catalog = {
      registries,
      services: { app: { title: "App", build: { strategy: "dockerfile" } } },
      signatures: { required: true, keys: [{ name: "release", publicKey: PUBLIC }] },
    };
    await sign([index]);
    expect(problems(await failedReport(verify({}, catalog)))).toEqual(
      servers.flatMap(() => BOTH_PLATFORMS.map((platform) => `${platform}: it has no trusted signature`)),
    );
    await sign(platforms);
    await verify({}, catalog);
    // It has no policy for images of others, and reads nothing of them.
    await verify({}, { ...catalog, registries: {} });
  });
});
