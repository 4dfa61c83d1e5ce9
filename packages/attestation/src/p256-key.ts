import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { TgoError } from "@tgo/errors";

export const HOW_TO_MAKE_ONE =
  "Make one: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes-256-cbc -out signing-key.pem";
const HOW_TO_GET_IT = "openssl pkey -in signing-key.pem -pubout -out signing-key.pub";

/**
 * A public key from PEM.
 * @param where the flag or the entry that it is from
 * @throws TgoError USAGE for anything but an ECDSA P-256 key's public half
 */
export function readPublicKey(pem: string, where: string): KeyObject {
  // Node would make a public key of a private one: whoever passes that here has mixed up two files.
  if (/PRIVATE KEY/.test(pem))
    throw new TgoError("USAGE", "it is a private key, not the public half", { where, remedy: HOW_TO_GET_IT });
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch {
    throw new TgoError("USAGE", "it is no public key in PEM", { where, remedy: HOW_TO_GET_IT });
  }
  requireP256(key, where);
  return key;
}

/** @throws TgoError USAGE when the key is another kind of key than ECDSA P-256 */
export function requireP256(key: KeyObject, where: string): void {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType === "ec" && curve === "prime256v1") return;
  const kind = curve ?? key.asymmetricKeyType ?? key.type;
  throw new TgoError("USAGE", `the key is ${kind}, not ECDSA P-256`, { where, remedy: HOW_TO_MAKE_ONE });
}

/** How bundles name a key, as cosign does: the base64 of the SHA-256 of its public half in DER. */
export function keyHint(key: KeyObject): string {
  return createHash("sha256")
    .update(publicHalf(key).export({ type: "spki", format: "der" }))
    .digest("base64");
}

/** The public half in PEM. */
export function publicPem(key: KeyObject): string {
  return publicHalf(key).export({ type: "spki", format: "pem" }).toString();
}

function publicHalf(key: KeyObject): KeyObject {
  return key.type === "private" ? createPublicKey(key) : key;
}
