import { TgoError } from "@tgo/errors";
import * as v from "@tgo/schemas";

/** What Fulcio and we read of an OIDC token. https://github.com/sigstore/fulcio/blob/main/docs/oidc.md */
const Claims = v.object({
  iss: v.string(),
  sub: v.string(),
  aud: v.union([v.string(), v.array(v.string())]),
  exp: v.number(),
  nbf: v.optional(v.number()),
  iat: v.optional(v.number()),
});
export type Claims = v.InferOutput<typeof Claims>;

/** How far clocks may differ, in milliseconds. */
const SKEW_MS = 60_000;
const REMEDY =
  'In GitHub Actions, give the job "id-token: write", and request a token for the audience sigstore: docs/guides/signing.md.';

/**
 * Reads an identity token's claims; its signature is Fulcio's to check.
 * @throws TgoError USAGE for a token that Fulcio would refuse; never with a part of it
 */
export function readIdentityToken(token: string, now: Date): Claims {
  const claims = v.outputOf(Claims, payloadOf(token));
  if (claims === undefined) throw refusal("the identity token is no OIDC token (a JWT)");
  if (![claims.aud].flat().includes("sigstore"))
    throw refusal(
      `the identity token is for the audience ${[claims.aud].flat().join(", ")}, not for sigstore`,
    );
  const clock = now.toISOString();
  const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();
  if (claims.exp * 1000 + SKEW_MS < now.getTime())
    throw refusal(`the identity token expired at ${iso(claims.exp)}; this machine's clock says ${clock}`);
  const start = claims.nbf ?? claims.iat;
  if (start !== undefined && start * 1000 - SKEW_MS > now.getTime())
    throw refusal(
      `the identity token is valid from ${iso(start)}; this machine's clock says ${clock}, and is behind`,
    );
  return claims;
}

function payloadOf(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token.trim().split(".")[1] ?? "", "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}

function refusal(what: string): TgoError {
  return new TgoError("USAGE", what, { where: "--identity-token", remedy: REMEDY });
}
