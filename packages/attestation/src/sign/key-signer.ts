import { sign } from "node:crypto";
import { keyHint, publicPem } from "../p256-key.js";
import { parsePrivateKey } from "./private-key.js";
import { seal } from "./seal.js";
import type { Signer } from "./signer.js";

/**
 * Signs with an ECDSA P-256 key. Needs no network.
 * @param key PEM: PKCS#8, encrypted or not
 * @throws TgoError USAGE for another kind of key, or a password that does not fit
 */
export function keySigner(key: { readonly pem: string; readonly password?: string }): Signer {
  const privateKey = parsePrivateKey(key.pem, key.password);
  const publicKey = publicPem(privateKey);
  const hint = keyHint(privateKey);
  return {
    name: `key ${hint.slice(0, 12)}`,
    publicKey,
    sign: (statement) =>
      seal(statement, {
        sign: (data) =>
          Promise.resolve({
            signature: sign("sha256", data, privateKey),
            key: { $case: "publicKey", publicKey, hint },
          }),
      }),
  };
}
