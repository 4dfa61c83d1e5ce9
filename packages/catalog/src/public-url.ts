import { urlCredentials } from "@tgo/redaction";
import * as z from "zod/mini";

/** A URL that plans, logs and image labels may show. */
export const PublicUrl = z.url().check(
  z.refine((text) => urlCredentials(text).length === 0, {
    message: "must not contain credentials: pass them with --netrc, --npmrc or --docker-config",
  }),
);

/** What the caller typed, for a message, without credentials before a host: `user:password@`. */
export function withoutUserInfo(text: string): string {
  return text.replace(/[^=/@\s]*:(?:\/\/)?[^@\s]*@/, "***@");
}
