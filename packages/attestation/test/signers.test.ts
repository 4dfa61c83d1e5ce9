import { createHash, createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import { rejection } from "@tgo/testing";
import { describe, expect, test } from "vitest";
import { digestSigner, keylessSigner, keySigner, readTrust, verifyBundle } from "../src/index.js";
import { newKey } from "./keys.js";

const STATEMENT = new TextEncoder().encode(
  JSON.stringify({
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ digest: { sha256: "a".repeat(64) } }],
    predicateType: "https://sigstore.dev/cosign/sign/v1",
    predicate: {},
  }),
);

const encrypted = (passphrase: string): string =>
  generateKeyPairSync("ec", { namedCurve: "P-256" })
    .privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase })
    .toString();

describe("a signing key", () => {
  test("may be encrypted", async () => {
    const signer = keySigner({ pem: encrypted("secret"), password: "secret" });
    const trust = readTrust({ keys: [{ name: "k", pem: signer.publicKey ?? "" }], identities: [] });
    expect(verifyBundle(await signer.sign(STATEMENT), trust)).toMatchObject({
      trusted: true,
      signer: "key k",
    });
  });

  test.each([
    ["the signing key is no private key in PEM", "hello", undefined],
    ["the signing key is the public one", newKey().publicPem, undefined],
    ["the key is secp384r1, not ECDSA P-256", newKey("P-384").pem, undefined],
    ["the signing key is encrypted, and there is no password", encrypted("a"), undefined],
    ["the password does not decrypt the signing key", encrypted("a"), "b"],
    [
      "the signing key is in cosign's own format",
      "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nx\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----",
      "b",
    ],
  ])("is refused: %s", (what, pem, password) => {
    const make = (): unknown => keySigner({ pem, ...(password === undefined ? {} : { password }) });
    expect(make).toThrow(what);
    expect(make).not.toThrow(pem.split("\n")[1] ?? pem);
  });
});

describe("a key that signs digests only", () => {
  const KEY = newKey();
  /** ECDSA of a digest that is not hashed again: openssl and services do it, Node's own functions do not. */
  const signed: Uint8Array[] = [];
  const signer = (printed: (der: Buffer) => Uint8Array, pem = KEY.pem) =>
    digestSigner({
      publicKey: KEY.publicPem,
      signDigest: (digest) => {
        signed.push(digest);
        const key = createPrivateKey(pem);
        return Promise.resolve(printed(sign("sha256", pae(), key)));
      },
    });
  /** What DSSE signs. */
  const pae = (): Buffer =>
    Buffer.concat([Buffer.from(`DSSEv1 28 application/vnd.in-toto+json ${STATEMENT.length} `), STATEMENT]);
  const p1363 = (): Buffer =>
    sign("sha256", pae(), { key: createPrivateKey(KEY.pem), dsaEncoding: "ieee-p1363" });

  test.each<[string, (der: Buffer) => Uint8Array]>([
    ["as it is", (der) => der],
    ["in base64, with a newline", (der) => Buffer.from(`${der.toString("base64")}\n`)],
    ["in JSON", (der) => Buffer.from(JSON.stringify({ KeyId: "k", Value: der.toString("base64") }))],
    ["as two numbers, in base64url", () => Buffer.from(p1363().toString("base64url"))],
  ])("may print the signature %s", async (_, printed) => {
    const trust = readTrust({ keys: [{ name: "k", pem: KEY.publicPem }], identities: [] });
    expect(verifyBundle(await signer(printed).sign(STATEMENT), trust)).toMatchObject({ trusted: true });
    expect(signed.at(-1)).toEqual(createHash("sha256").update(pae()).digest());
  });

  test.each<[string, () => Promise<unknown>]>([
    ["another key's signature", () => signer((der) => der, newKey().pem).sign(STATEMENT)],
    ["nothing", () => signer(() => Buffer.of()).sign(STATEMENT)],
    ["a message", () => signer(() => Buffer.from("error: no such key")).sign(STATEMENT)],
  ])("is refused if it prints %s", async (_, run) => {
    expect((await rejection(run())).message).toContain(
      "what the signing command printed is no signature by the public key",
    );
  });
});

describe("an identity token", () => {
  const NOW = new Date("2026-11-28T12:00:00Z");
  const seconds = (offset: number): number => NOW.getTime() / 1000 + offset;
  const token = (claims: object): string =>
    [
      "{}",
      JSON.stringify({ iss: "https://issuer", sub: "me", aud: "sigstore", exp: seconds(300), ...claims }),
      "s",
    ]
      .map((part) => Buffer.from(part).toString("base64url"))
      .join(".");

  test.each([
    ["the identity token is no OIDC token (a JWT)", "not-a-token"],
    ["the identity token is for the audience other, not for sigstore", token({ aud: "other" })],
    [
      "the identity token expired at 2026-11-28T11:50:00.000Z; this machine's clock says 2026-11-28T12:00:00.000Z",
      token({ exp: seconds(-600) }),
    ],
    [
      "the identity token is valid from 2026-11-28T12:10:00.000Z; this machine's clock says 2026-11-28T12:00:00.000Z, and is behind",
      token({ nbf: seconds(600), exp: seconds(900) }),
    ],
  ])("is refused: %s", (what, identityToken) => {
    const make = (): unknown => keylessSigner({ identityToken, now: () => NOW });
    expect(make).toThrow(what);
    expect(make).not.toThrow(identityToken);
  });

  test("does not help without a network: nothing is signed, and the message says so", async () => {
    const signer = keylessSigner({
      identityToken: token({}),
      fulcioUrl: "http://127.0.0.1:9",
      now: () => NOW,
    });
    const error = await rejection(signer.sign(STATEMENT));
    expect(error.message).toMatch(/^http:\/\/127.0.0.1:9: Fulcio cannot be reached\n {2}Nothing was signed/);
  });
});
