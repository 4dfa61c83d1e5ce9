import { isIndex, type Descriptor } from "@tgo/registry";
import { BOTH_PLATFORMS, MemoryRegistry, stageImage } from "@tgo/testing";
import { beforeEach, describe, expect, test } from "vitest";
import {
  attest,
  keySigner,
  readAttestations,
  readTrust,
  SIGNATURE_PREDICATE,
  verifyBundle,
  type Attestation,
  type AttestationTarget,
  type Signer,
  type Trust,
} from "../src/index.js";
import { newKey } from "./keys.js";

let registries: MemoryRegistry[];
let image: Descriptor;
let signer: Signer;
let trust: Trust;

const target = (
  registry: MemoryRegistry,
  config: AttestationTarget["config"] = "empty",
): AttestationTarget => ({
  name: registry.host,
  registry: registry.client(),
  repository: "t/app",
  config,
});
const signatureOf = (subject: Descriptor): Attestation => ({
  subject,
  predicateType: SIGNATURE_PREDICATE,
  predicate: {},
});

beforeEach(async () => {
  registries = ["ghcr.io", "docker.io", "acr.example"].map((host) => new MemoryRegistry(host));
  for (const registry of registries)
    await stageImage(
      registry.client(),
      "t/app",
      "1.0.0",
      BOTH_PLATFORMS.map((platform) => ({ platform })),
    );
  const found = await registries[0]?.client().resolve("t/app", "1.0.0");
  if (found === undefined) throw new Error("no image");
  image = found;
  const key = newKey();
  signer = keySigner(key);
  trust = readTrust({ keys: [{ name: "release", pem: key.publicPem }], identities: [] });
});

const bundlesOf = (registry: MemoryRegistry): Promise<string[]> =>
  readAttestations(target(registry), image.digest).then((found) => found.map(({ digest }) => digest));

describe("a signature", () => {
  test("has the same bytes in every registry, whatever config its manifest has there", async () => {
    const targets = registries.map((registry, index) =>
      target(registry, index === 2 ? "image-config" : "empty"),
    );
    const result = await attest(targets, [signatureOf(image)], { signer, trust });
    expect(result.statements).toMatchObject([
      { state: "signed", subject: image.digest, signer: signer.name },
    ]);
    expect(result.targets).toEqual(registries.map(({ host }) => ({ name: host, attached: 1, present: 0 })));
    const bundles = await Promise.all(registries.map(bundlesOf));
    expect(new Set(bundles.flat()).size).toBe(1);
    const configs = await Promise.all(
      registries.map(async (registry) => {
        const { entries } = await registry.client().referrers("t/app", image.digest);
        const { value } = await registry.client().manifest("t/app", entries[0]?.digest ?? "");
        return isIndex(value) ? "" : value.config.mediaType;
      }),
    );
    expect(configs).toEqual([
      "application/vnd.oci.empty.v1+json",
      "application/vnd.oci.empty.v1+json",
      "application/vnd.oci.image.config.v1+json",
    ]);
  });

  test("that one registry has is copied to the others, and not made again", async () => {
    const [first, ...others] = registries.map((registry) => target(registry));
    if (first === undefined) throw new Error("no target");
    await attest([first], [signatureOf(image)], { signer, trust });
    const again = await attest([...others, first], [signatureOf(image)], { signer, trust });
    expect(again.statements[0]?.state).toBe("found");
    expect(again.targets.map(({ attached, present }) => [attached, present])).toEqual([
      [1, 0],
      [1, 0],
      [0, 1],
    ]);
    const bundles = await Promise.all(registries.map(bundlesOf));
    expect(new Set(bundles.flat()).size).toBe(1);
  });

  test("of a key that nobody trusts does not stand for one", async () => {
    const targets = registries.map((registry) => target(registry));
    const other = keySigner(newKey());
    await attest(targets.slice(0, 1), [signatureOf(image)], { signer: other, trust });
    const result = await attest(targets, [signatureOf(image)], { signer, trust });
    expect(result.statements[0]).toMatchObject({ state: "signed", signer: signer.name });
    expect((await bundlesOf(registries[0] as MemoryRegistry)).length).toBe(2);
  });

  test("is missing where nobody signs and none is found", async () => {
    const targets = registries.map((registry) => target(registry));
    const result = await attest(targets, [signatureOf(image)], { signer: undefined, trust });
    expect(result.statements[0]?.state).toBe("missing");
    expect(await bundlesOf(registries[0] as MemoryRegistry)).toEqual([]);
  });

  test("that one registry refuses is attached in the others", async () => {
    const [, refusing] = registries as [MemoryRegistry, MemoryRegistry];
    refusing.intercept = ({ method, url }) =>
      method === "PUT" && url.pathname.includes("/manifests/")
        ? new Response(
            JSON.stringify({
              errors: [
                { code: "DENIED", message: "unknown manifest class for application/vnd.oci.empty.v1+json" },
              ],
            }),
            { status: 403, headers: { "content-type": "application/json" } },
          )
        : undefined;
    const result = await attest(
      registries.map((registry) => target(registry)),
      [signatureOf(image)],
      { signer, trust },
    );
    expect(result.targets.map(({ attached, problem }) => [attached, problem?.code])).toEqual([
      [1, undefined],
      [0, "DENIED"],
      [1, undefined],
    ]);
  });
});

test("a bundle is verified with the key's public half alone", async () => {
  const bytes = await signer.sign(
    new TextEncoder().encode(
      JSON.stringify({
        _type: "https://in-toto.io/Statement/v1",
        subject: [{ digest: { sha256: "a".repeat(64) } }],
        predicateType: "t",
        predicate: {},
      }),
    ),
  );
  expect(verifyBundle(bytes, trust)).toMatchObject({ trusted: true, signer: "key release" });
});
