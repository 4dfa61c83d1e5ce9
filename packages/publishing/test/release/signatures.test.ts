import { generateKeyPairSync } from "node:crypto";
import {
  keylessSigner,
  keySigner,
  readAttestations,
  readTrust,
  trustedSigner,
  type Signer,
} from "@tgo/attestation";
import {
  errorResponse,
  identityToken,
  startSigstore,
  type FakeRequest,
  type SigstoreService,
} from "@tgo/testing";
import { isRetryable } from "@tgo/report";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
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

describe("A release whose policy requires signatures writes no tag", () => {
  const CLAIMS = {
    iss: "https://token.actions.githubusercontent.com",
    sub: "https://github.com/tgoai/tgo/ci.yml",
  };
  const NOWHERE = "http://127.0.0.1:9";
  let sigstore: SigstoreService;
  beforeAll(async () => {
    sigstore = await startSigstore();
  });
  afterEach(() => {
    sigstore.fail = undefined;
  });
  afterAll(() => sigstore.stop());

  /** Signs as an identity that the policy trusts, unless it names another one. */
  function identity(services: { fulcioUrl?: string; rekorUrl?: string } = {}, subject = CLAIMS.sub): Signer {
    const { url, trustedRoot } = sigstore;
    const identities = [{ issuer: CLAIMS.iss, subject }];
    const signer = keylessSigner({
      ...{ fulcioUrl: url, rekorUrl: url, identityToken: identityToken(CLAIMS) },
      ...services,
    });
    return trustedSigner(signer, readTrust({ keys: [], identities, trustedRoot }), true);
  }
  const failing =
    (path: RegExp, status: number): (() => Signer) =>
    () => {
      sigstore.fail = { path, status };
      return identity();
    };
  /** Makes dockerhub answer so. */
  const answering =
    (intercept: (request: FakeRequest) => Response | undefined): (() => Signer) =>
    () => {
      harness.registries.dockerhub.intercept = intercept;
      return KEY;
    };
  const isList = ({ url }: FakeRequest): boolean => /manifests\/sha256-/.test(url.pathname);
  const created = (): Response => new Response(null, { status: 201 });

  it.each<[string, () => Signer, RegExp]>([
    ["if Fulcio cannot be reached", () => identity({ fulcioUrl: NOWHERE }), /Fulcio cannot be reached/],
    ["if Fulcio is broken", failing(/signingCert/, 500), /Fulcio returned status 500/],
    ["if Fulcio refuses", failing(/signingCert/, 400), /Fulcio gives no certificate .*: status 400/],
    ["if Rekor cannot be reached", () => identity({ rekorUrl: NOWHERE }), /Rekor cannot be reached/],
    ["if Rekor is broken", failing(/log.entries/, 503), /Rekor returned status 503/],
    ["if Rekor refuses", failing(/log.entries/, 400), /Rekor refuses to log the signature: status 400/],
    [
      "for an identity that the policy does not name",
      () => identity({}, "https://github.com/tgoai/tgo/*@refs/tags/*"),
      /do not count: it is signed by https:\/\/github.com\/tgoai\/tgo\/ci.yml of .*, which is not trusted/,
    ],
    [
      "if the signer fails in a way of its own",
      () => ({ ...KEY, sign: () => Promise.reject(new Error("the token was taken out")) }),
      /the token was taken out/,
    ],
    [
      "if a registry refuses artifacts",
      answering(({ method, body }) =>
        method === "PUT" && body.includes("vnd.oci.empty")
          ? errorResponse(403, "DENIED", "unknown manifest class")
          : undefined,
      ),
      /dockerhub.*unknown manifest class/,
    ],
    [
      "if a registry takes lists of signatures and forgets them",
      answering((request) => (request.method === "PUT" && isList(request) ? created() : undefined)),
      /the artifact was pushed, but the list of referrers lacks it/,
    ],
    [
      "if a registry takes signatures and forgets them",
      answering(({ method, body, url }) =>
        method === "PUT" && url.pathname.includes("/manifests/sha256:") && body.includes("sigstore.bundle")
          ? created()
          : undefined,
      ),
      /the artifact sha256:\w+ was pushed, but the registry lacks it/,
    ],
    [
      "if a list loses an entry whenever it is written",
      answering((request) => {
        if (request.method !== "PUT" || !isList(request)) return undefined;
        const list = JSON.parse(request.body.toString()) as { manifests: unknown[] };
        const body = Buffer.from(JSON.stringify({ ...list, manifests: list.manifests.slice(1) }));
        return harness.registries.dockerhub.respond({ ...request, body });
      }),
      /the artifact was pushed, but the list of referrers lacks it/,
    ],
  ])("%s", async (_, signer, what) => {
    const released = await harness.release("1.2.3", {}, signing({ signer: signer() }));
    expect(released.ok).toBe(false);
    expect(new Set(harness.everywhere("1.2.3"))).toEqual(new Set([undefined]));
    expect(JSON.stringify(released)).toMatch(what);
  });
});
