/** The first 12 hex digits of a digest, enough to compare two by eye. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, "").slice(0, 12);
}
