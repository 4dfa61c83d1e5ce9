import { generateKeyPairSync } from "node:crypto";

/** A new ECDSA P-256 key. */
export function newKey(curve = "P-256"): { pem: string; publicPem: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: curve });
  return {
    pem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    publicPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
  };
}
