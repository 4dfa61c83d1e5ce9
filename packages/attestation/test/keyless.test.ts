import { identityToken, rejection, type SigstoreService, startSigstore } from "@tgo/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keylessSigner, readTrust, verifyBundle, type Verdict } from "../src/index.js";

const ISSUER = "https://token.actions.githubusercontent.com";
const SUBJECT = "https://github.com/tgoai/tgo/.github/workflows/release.yml@refs/tags/v1.2.3";
const STATEMENT = new TextEncoder().encode(
  JSON.stringify({
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ digest: { sha256: "a".repeat(64) } }],
    predicateType: "https://sigstore.dev/cosign/sign/v1",
    predicate: {},
  }),
);

let service: SigstoreService;
let bundle: Uint8Array;

const TOKEN = identityToken({ iss: ISSUER, sub: SUBJECT });

const sign = (): Promise<Uint8Array> =>
  keylessSigner({ identityToken: TOKEN, fulcioUrl: service.url, rekorUrl: service.url }).sign(STATEMENT);

const verify = (
  identity: { issuer?: string; subject?: string },
  { bytes = bundle, trustedRoot = service.trustedRoot }: { bytes?: Uint8Array; trustedRoot?: string } = {},
): Verdict =>
  verifyBundle(
    bytes,
    readTrust({ keys: [], identities: [{ issuer: ISSUER, subject: SUBJECT, ...identity }], trustedRoot }),
  );

beforeAll(async () => {
  service = await startSigstore();
  bundle = await sign();
});

afterAll(() => service.stop());

/** A trusted root's JSON, as far as tests change it. */
interface Root {
  certificateAuthorities: [{ validFor: { end?: string } }];
  tlogs: [{ logId: { keyId: string } }];
}

/** The bundle with another value in its JSON. */
function changed(change: (json: { dsseEnvelope: { payload: string } }) => void): Uint8Array {
  const json = JSON.parse(new TextDecoder().decode(bundle)) as { dsseEnvelope: { payload: string } };
  change(json);
  return new TextEncoder().encode(JSON.stringify(json));
}

describe("a signature of an identity", () => {
  test("is a bundle v0.3 with a certificate and a log entry, and is verified without a network", () => {
    expect(JSON.parse(new TextDecoder().decode(bundle))).toMatchObject({
      mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
      verificationMaterial: { certificate: {}, tlogEntries: [{ kindVersion: { kind: "dsse" } }] },
    });
    expect(verify({})).toMatchObject({ trusted: true, signer: `identity ${SUBJECT}` });
  });

  test.each([
    ["https://github.com/tgoai/tgo/.github/workflows/release.yml@refs/tags/*", true],
    ["https://github.com/tgoai/*@refs/tags/v1.2.3", true],
    ["https://github.com/other/*", false],
    ["*@refs/heads/main", false],
    ["https://github.com/tgoai/tgo/.github/workflows/release.yml@refs/tags/v1.2", false],
  ])("counts for the subject %s: %s", (subject, trusted) => {
    expect(verify({ subject }).trusted).toBe(trusted);
  });

  test("does not count for another issuer", () => {
    expect(verify({ issuer: "https://accounts.google.com" })).toMatchObject({ distrust: "unknown signer" });
  });

  test("does not count without a trusted root, or under another one", async () => {
    const trust = readTrust({ keys: [], identities: [{ issuer: ISSUER, subject: SUBJECT }] });
    expect(verifyBundle(bundle, trust)).toMatchObject({ distrust: "no trusted root" });
    const other = await startSigstore();
    expect(verify({}, { trustedRoot: other.trustedRoot })).toMatchObject({
      distrust: "untrusted certificate",
    });
    await other.stop();
  });

  test.each<[string, (root: Root) => void, RegExp]>([
    [
      "ended before it was logged",
      ({ certificateAuthorities: [ca] }) => (ca.validFor.end = "2026-01-01T00:00:00Z"),
      /^it was logged at \S+, and the trusted root ended at 2026-01-01T00:00:00.000Z: fetch a newer one/,
    ],
    [
      "does not know its log",
      ({ tlogs: [log] }) => (log.logId.keyId = Buffer.alloc(32).toString("base64")),
      /^it is in a log that the trusted root does not know \(\S{12}\): fetch a newer one/,
    ],
  ])("does not count under a trusted root that %s", (_, change, reason) => {
    const root = JSON.parse(service.trustedRoot) as Root;
    change(root);
    const verdict = verify({}, { trustedRoot: JSON.stringify(root) });
    expect(verdict).toMatchObject({
      distrust: "untrusted certificate",
      reason: expect.stringMatching(reason) as string,
    });
  });

  test("counts whatever this machine's clock says: the log has its time", () => {
    const trust = readTrust({
      keys: [],
      identities: [{ issuer: ISSUER, subject: SUBJECT }],
      trustedRoot: service.trustedRoot,
      now: () => new Date("2020-01-01T00:00:00Z"),
    });
    expect(verifyBundle(bundle, trust)).toMatchObject({ trusted: true });
  });

  test("does not count for another statement", () => {
    const bytes = changed((json) => {
      const text = Buffer.from(json.dsseEnvelope.payload, "base64")
        .toString()
        .replace(/a{64}/, "b".repeat(64));
      json.dsseEnvelope.payload = Buffer.from(text).toString("base64");
    });
    expect(verify({}, { bytes })).toMatchObject({ distrust: "tampered" });
  });

  test("is not made if Fulcio or Rekor fails: the message says which", async () => {
    for (const [path, status, what] of [
      [/signingCert/, 400, "Fulcio gives no certificate for the identity token: status 400"],
      [/log.entries/, 400, "Rekor refuses to log the signature: status 400"],
    ] as const) {
      service.fail = { path, status };
      const error = await rejection(sign());
      expect(error.message).toContain(what);
      expect(error.message).not.toContain(TOKEN.split(".")[1]);
    }
    service.fail = undefined;
  });
});
