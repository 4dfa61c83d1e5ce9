import { generateKeyPairSync } from "node:crypto";
import type { File, Secret } from "@dagger.io/dagger";
import { rejection } from "@tgo/testing";
import { describe, expect, it } from "vitest";
import { openAttestor, openTrust } from "../src/attest.js";
import type { Context } from "../src/context.js";
import type { Options } from "../src/options.js";
import type { SigningFlags } from "../src/signing-flags.js";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const PEM = privateKey
  .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "pass" })
  .toString();
const PUBLIC = publicKey.export({ type: "spki", format: "pem" }).toString();

const secret = (text: string): Secret => ({ plaintext: () => Promise.resolve(text) }) as unknown as Secret;
const file = (text: string): File => ({ contents: () => Promise.resolve(text) }) as unknown as File;
const context = { targets: [], catalog: {}, host: {} } as unknown as Context;
const open = (flags: SigningFlags, options: Options = {}): ReturnType<typeof openAttestor> =>
  openAttestor(context, options, flags);

describe("signing flags", () => {
  it("take a key with the password of its file, whose last newline is not part of it", async () => {
    const flags = { signingKey: secret(PEM), signingKeyPassword: secret("pass\n") };
    expect((await open(flags)).required).toBe(false);
  });

  it("and a signing command are mutually exclusive", async () => {
    const host = { signWith: { publicKey: PUBLIC, signDigest: () => Promise.reject(new Error("not run")) } };
    const signing = { ...context, host };
    expect((await openAttestor(signing, {}, {})).required).toBe(false);
    const both = await rejection(openAttestor(signing, {}, { signingKey: secret(PEM) }));
    expect(both.message).toContain("--signing-command and --signing-key are mutually exclusive");
  });

  it.each<[string, SigningFlags]>([
    [
      "--signing-key and --identity-token are mutually exclusive",
      { signingKey: secret(PEM), identityToken: secret("a.b.c") },
    ],
    ["--signing-key-password has no --signing-key", { signingKeyPassword: secret("pass") }],
    ["the signing key is encrypted, and there is no password", { signingKey: secret(PEM) }],
    [
      "the password does not decrypt the signing key",
      { signingKey: secret(PEM), signingKeyPassword: secret("x") },
    ],
    ["the identity token is no OIDC token (a JWT)", { identityToken: secret("a.b.c") }],
  ])("are refused: %s", async (what, flags) => {
    expect((await rejection(open(flags))).message).toContain(what);
  });
});

describe("a signing key that the policy", () => {
  const OTHER = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({
    type: "spki",
    format: "pem",
  });
  const named = (key: object, required = true): Promise<unknown> =>
    openAttestor(
      {
        ...context,
        catalog: { signatures: { required, identities: [], keys: [key] } },
      } as unknown as Context,
      {},
      { signingKey: secret(PEM), signingKeyPassword: secret("pass") },
    );
  const own = { name: "release", publicKey: PUBLIC };

  it.each<[string, object, boolean]>([
    ["it is none of the policy's keys", { name: "other", publicKey: OTHER }, true],
    ["it is the revoked key release", { ...own, revoked: true }, true],
    ["it is the revoked key release", { ...own, revoked: true }, false],
    ["it is the key release, which expired at 2020-01-01", { ...own, expires: "2020-01-01" }, true],
  ])("does not trust is refused before anything is built: %s", async (what, key, required) => {
    const { message } = await rejection(named(key, required));
    expect(message).toMatch(/^signatures: the signatures of key \S+ do not count: /);
    expect(message).toContain(what);
  });

  it("names is taken, and any key where no signature is required", async () => {
    await named(own);
    await named({ ...own, expires: "2999-01-01" });
    await named({ name: "other", publicKey: OTHER }, false);
  });
});

describe("trust flags", () => {
  it("take several keys of one file, and identities", async () => {
    const trust = await openTrust(context, {
      trustedKey: file(`${PUBLIC}\n${PUBLIC}`),
      trustedIdentity: ["https://issuer https://github.com/tgoai/*"],
    });
    expect(trust.keys.map(({ name }) => name)).toEqual(["1 of --trusted-key", "2 of --trusted-key"]);
    expect(trust.identities).toEqual([{ issuer: "https://issuer", subject: "https://github.com/tgoai/*" }]);
  });

  it.each<[string, Options]>([
    ["the file has no public key in PEM", { trustedKey: file("hello") }],
    ["it is a private key, not the public half", { trustedKey: file(PEM) }],
    ['"https://issuer" is not an identity', { trustedIdentity: ["https://issuer"] }],
    ['"https://issuer *" is not an identity', { trustedIdentity: ["https://issuer *"] }],
    ["it is no trusted root of Sigstore", { trustedRoot: file("{}") }],
  ])("are refused: %s", async (what, options) => {
    expect((await rejection(openTrust(context, options))).message).toContain(what);
  });
});
