/** Secrets, ours or not, that a server may quote back at us. */
const KNOWN_SHAPES: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{6,}/gi, "$1 ***"],
  [/\bdckr_[a-z]+_[\w-]+/g, "***"],
  [/\b(?:gh[pousr]_|github_pat_|glpat-)[\w-]+/g, "***"],
  [/\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?/g, "***"],
  [
    /\b((?:X-Amz-|OSS)?(?:Signature|Credential|Security-Token|AccessKeyId)|sig|token|access_token|refresh_token)=[^&\s"']+/gi,
    "$1=***",
  ],
  // Docker Hub's rate limit message names the account: "… as 'someone': dckr_jti_…".
  [/\bas '[^']*'/g, "as '***'"],
];

/** A shorter string is no secret, and replacing it would garble every message. */
const SHORTEST_SECRET = 4;

/** Knows all secrets of one registry and masks them in everything shown to a person. */
export class Redactor {
  readonly #secrets = new Set<string>();

  add(secret: string): void {
    for (const spelling of [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64")]) {
      if (spelling.length >= SHORTEST_SECRET) this.#secrets.add(spelling);
    }
  }

  clean(text: string): string {
    // The longest first: one secret may contain another (base64 of "user:password", a password inside a URL).
    const known = [...this.#secrets].sort((a, b) => b.length - a.length);
    const ours = known.reduce((rest, secret) => rest.replaceAll(secret, "***"), text);
    return KNOWN_SHAPES.reduce((rest, [shape, mask]) => rest.replace(shape, mask), ours);
  }
}
