import { createHash, verify, type KeyObject } from "node:crypto";
import { TgoError } from "@tgo/errors";
import { keyHint, publicPem, readPublicKey } from "../p256-key.js";
import { seal } from "./seal.js";
import type { Signer } from "./signer.js";

/** A key that cannot leave its device, and what signs with it. */
export interface DigestSignerOptions {
  /** PEM of the public half. */
  readonly publicKey: string;
  /**
   * Signs a SHA-256 digest, 32 bytes.
   * @returns what the device printed: the signature in DER, or as two numbers of 32 bytes; as it is, in base64 or in a
   * JSON document
   */
  readonly signDigest: (digest: Uint8Array) => Promise<Uint8Array>;
}

/**
 * Signs with an ECDSA P-256 key of a key management service or a device.
 * @throws TgoError USAGE for a public key that cannot be read; in `sign`, also for a signature by another key
 */
export function digestSigner({ publicKey: pem, signDigest }: DigestSignerOptions): Signer {
  const key = readPublicKey(pem, "--signing-public-key");
  const publicKey = publicPem(key);
  const hint = keyHint(key);
  return {
    name: `key ${hint.slice(0, 12)}`,
    publicKey,
    sign: (statement) =>
      seal(statement, {
        sign: async (data) => {
          const printed = await signDigest(createHash("sha256").update(data).digest());
          const signature = signatureIn(Buffer.from(printed), data, key);
          return { signature, key: { $case: "publicKey", publicKey, hint } };
        },
      }),
  };
}

/** Services print signatures in different forms: the one that the key verifies is it. */
function signatureIn(printed: Buffer, data: Uint8Array, key: KeyObject): Buffer {
  for (const bytes of [printed, ...textsIn(printed).map(fromBase64)]) {
    if (verify("sha256", data, key, bytes)) return bytes;
    if (
      bytes.length === 2 * INTEGER_BYTES &&
      verify("sha256", data, { key, dsaEncoding: "ieee-p1363" }, bytes)
    )
      return derOf(bytes);
  }
  throw new TgoError("USAGE", "what the signing command printed is no signature by the public key", {
    where: "--signing-command",
    remedy:
      "It must sign the SHA-256 digest that it gets with ECDSA, by the key whose public half is --signing-public-key.",
  });
}

/** The text, and the texts in it if it is JSON. */
function textsIn(printed: Buffer): string[] {
  const text = printed.toString("latin1").trim();
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === "string") return [json];
    return typeof json === "object" && json !== null
      ? Object.values(json).filter((value) => typeof value === "string")
      : [];
  } catch {
    return [text];
  }
}

/** Also base64url, as Azure writes it. */
function fromBase64(text: string): Buffer {
  return Buffer.from(text, "base64");
}

const INTEGER_BYTES = 32;

/** ECDSA-Sig-Value (RFC 3279, 2.2.3) of two numbers of 32 bytes. */
function derOf(numbers: Buffer): Buffer {
  const parts = [numbers.subarray(0, INTEGER_BYTES), numbers.subarray(INTEGER_BYTES)].map((number) => {
    const first = number.findIndex((byte) => byte !== 0);
    const short = number.subarray(first);
    // A number of which the first bit is set would be negative.
    const content = (short[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), short]) : short;
    return Buffer.concat([Buffer.of(0x02, content.length), content]);
  });
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(0x30, body.length), body]);
}
