import { createHash } from "node:crypto";

/** `sha256:` and 64 lower-case hex digits, or `sha512:` and 128: image-spec, descriptor.md#registered-algorithms. */
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/** Each digest once, in order: the same digest is the same content. */
export function onceByDigest<T extends { readonly digest: string }>(items: readonly T[]): T[] {
  return [...new Map(items.map((item) => [item.digest, item])).values()];
}

/** The sha256 digest of these bytes, as `sha256:<hex>`. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** The digest of these bytes, by the algorithm of the digest to compare it with. */
export function digestLike(expected: string, bytes: Uint8Array): string {
  const digester = digesterFor(expected);
  digester.update(bytes);
  return digester.digest();
}

export interface Digester {
  update(chunk: Uint8Array): void;
  digest(): string;
}

/** Hashes a stream, by the algorithm of the digest that is expected. */
export function digesterFor(expected: string): Digester {
  const algorithm = expected.startsWith("sha512:") ? "sha512" : "sha256";
  const hash = createHash(algorithm);
  return { update: (chunk) => void hash.update(chunk), digest: () => `${algorithm}:${hash.digest("hex")}` };
}
