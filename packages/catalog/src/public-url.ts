import { urlCredentials } from "@tgo/redaction";
import * as v from "@tgo/schemas";

/** A URL that plans, logs and image labels may show. */
export const PublicUrl = v.pipe(
  v.string(),
  v.metadata({ format: "uri" }),
  // As a URL is parsed: without white space around it, and without tabs and line breaks in it.
  v.transform((text) => text.trim().replaceAll(/[\t\n\r]/g, "")),
  v.check((text) => URL.canParse(text), "must be a URL, such as https://mirror.example.com"),
  v.check(
    (text) => urlCredentials(text).length === 0,
    "must not contain credentials: pass them with --netrc, --npmrc or --docker-config",
  ),
);

/** What the caller typed, for a message, without credentials before a host: `user:password@`. */
export function withoutUserInfo(text: string): string {
  return text.replace(/[^=/@\s]*:(?:\/\/)?[^@\s]*@/, "***@");
}
