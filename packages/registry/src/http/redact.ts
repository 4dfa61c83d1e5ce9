import { Redactor } from "@tgo/redaction";

/** Secrets that a server may quote back at us, its own too. */
const SERVER_SHAPES: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{6,}/gi, "$1 ***"],
  [
    /\b((?:X-Amz-|OSS)?(?:Signature|Credential|Security-Token|AccessKeyId)|sig|token|access_token|refresh_token)=[^&\s"']+/gi,
    "$1=***",
  ],
  // Docker Hub's rate limit message names the account: "… as 'someone': dckr_jti_…".
  [/\bas '[^']*'/g, "as '***'"],
];

/** Knows all secrets of one registry, and masks them in everything it says. */
export class ResponseRedactor extends Redactor {
  override clean(text: string): string {
    return SERVER_SHAPES.reduce((rest, [shape, mask]) => rest.replace(shape, mask), super.clean(text));
  }
}
