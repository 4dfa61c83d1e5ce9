/** Credentials for one registry, from a docker config or a credential helper. */
export type Credentials =
  | { readonly username: string; readonly password: string }
  /** An OAuth2 refresh token: https://distribution.github.io/distribution/spec/auth/oauth/ */
  | { readonly identityToken: string };

/** RFC 7617. */
export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
