import { createHash, createPublicKey, randomUUID } from "node:crypto";
import { SignJWT, importPKCS8 } from "jose";
import { generate } from "selfsigned";

/** One entry of a token's `access` claim: https://distribution.github.io/distribution/spec/auth/jwt/ */
export interface Access {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

export interface TokenIssuer {
  /** Self-signed certificate of the signing key, PEM: the registry's `rootcertbundle`. */
  readonly certificate: string;
  /** Signs a token. @param subject the user name, empty for an anonymous client */
  sign(service: string, subject: string, access: readonly Access[]): Promise<string>;
}

/** Lifetime of every token, in seconds: the same as Docker Hub's. */
export const TOKEN_SECONDS = 300;

/** Generates a key; tokens of an earlier run are invalid. */
export async function createTokenIssuer(issuer: string): Promise<TokenIssuer> {
  const generated = await generate([{ name: "commonName", value: issuer }], { keyType: "ec" });
  const key = await importPKCS8(generated.private, "ES256");
  const kid = keyId(generated.public);
  return {
    certificate: generated.cert,
    sign: (service, subject, access) =>
      new SignJWT({ access })
        .setProtectedHeader({ alg: "ES256", typ: "JWT", kid })
        .setIssuer(issuer)
        .setSubject(subject)
        .setAudience(service)
        .setJti(randomUUID())
        .setIssuedAt()
        .setNotBefore("-10s")
        .setExpirationTime(`${TOKEN_SECONDS}s`)
        .sign(key),
  };
}

/**
 * The key ID as libtrust writes it (distribution 2.x looks up keys by it): base32 of the first 240 bits of the SHA-256
 * of the public key's DER, in groups of four.
 */
function keyId(publicKeyPem: string): string {
  const der = createPublicKey(publicKeyPem).export({ type: "spki", format: "der" });
  const hash = createHash("sha256").update(der).digest().subarray(0, 30);
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...hash].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const letters = bits.match(/.{5}/g)?.map((five) => alphabet.charAt(parseInt(five, 2))) ?? [];
  return letters.join("").match(/.{4}/g)?.join(":") ?? "";
}

/** `repository:library/nginx:pull,push`; a name may contain a port, so only the first and the last colon separate. */
export function parseScope(scope: string): Access | undefined {
  const match = /^([a-z]+)(?:\([a-z]+\))?:(.+):([a-z*,]+)$/.exec(scope);
  if (match === null) return undefined;
  const [, type = "", name = "", actions = ""] = match;
  return { type, name, actions: actions.split(",") };
}
