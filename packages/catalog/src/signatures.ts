import * as v from "@tgo/schemas";
import { PublicUrl } from "./public-url.js";

/** A key whose signatures count. */
export const TrustedKey = v.strictObject({
  name: v.pipe(v.string(), v.nonEmpty(), v.description("For reports.")),
  publicKey: v.pipe(
    v.string(),
    v.check(
      (pem) => pem.includes("BEGIN PUBLIC KEY"),
      "must be a public key in PEM: openssl pkey -in signing-key.pem -pubout",
    ),
    v.description("The public half in PEM: ECDSA P-256."),
  ),
  expires: v.pipe(
    v.optional(
      v.pipe(
        v.string(),
        v.check((text) => !Number.isNaN(Date.parse(text)), "must be a date"),
      ),
    ),
    v.description("Its signatures do not count after this moment: 2027-12-31 or RFC 3339."),
  ),
  revoked: v.pipe(
    v.optional(v.boolean(), false),
    v.description("Its signatures do not count; it stays in the list so that they are named."),
  ),
});

/** An identity whose signatures count, as Fulcio's certificates name it. */
export const TrustedIdentity = v.strictObject({
  issuer: v.pipe(
    v.string(),
    v.nonEmpty(),
    v.description("Issuer of its tokens: https://token.actions.githubusercontent.com."),
  ),
  subject: v.pipe(
    v.string(),
    v.nonEmpty(),
    v.check((text) => text.replaceAll("*", "") !== "", "must not be * alone: everybody has an identity"),
    v.description(
      "Subject of its certificates, such as a workflow's URL with its git reference; * stands for any characters.",
    ),
  ),
});

/** Who must have signed what is published. */
export const SignaturePolicy = v.strictObject({
  required: v.pipe(
    v.optional(v.boolean(), false),
    v.description(
      "Whether every image needs a trusted signature: release writes no tag without one, and verify fails.",
    ),
  ),
  keys: v.pipe(v.optional(v.array(TrustedKey), []), v.description("Keys whose signatures count.")),
  identities: v.pipe(
    v.optional(v.array(TrustedIdentity), []),
    v.description("Identities whose signatures count."),
  ),
  fulcio: v.pipe(
    v.optional(PublicUrl),
    v.description("Issues certificates of identities; https://fulcio.sigstore.dev if absent."),
  ),
  rekor: v.pipe(
    v.optional(PublicUrl),
    v.description("Log of identities' signatures; https://rekor.sigstore.dev if absent."),
  ),
});
export type SignaturePolicy = v.InferOutput<typeof SignaturePolicy>;
