/** A URL's scheme and user information; ends at the first character that a host cannot follow. */
const USER_INFO = /\b([a-z][a-z0-9+.-]{0,20}):\/\/([^\s/?#"'<>]{1,4096})@/gi;

/** Only these take a token in the user's place: ssh://git@host names a user. */
const TOKEN_SCHEME = /^https?$|\+https?$/i;

/** The text with the credentials of every URL in it replaced: `https://***@host/path`. */
export function maskUrlCredentials(text: string): string {
  return text.replace(USER_INFO, (all, scheme: string, info: string) =>
    credentialsIn(scheme, info).length === 0 ? all : `${scheme}://***@`,
  );
}

/**
 * Addresses as people write them in HTTP_PROXY: without a scheme, or with special characters that are not encoded. No image
 * with a digest: localhost:5000/app@sha256:… has a port, and no password.
 */
const CARELESS =
  /^\s*(?:[a-z][a-z0-9+.-]*:\/\/)?[^\s:/@]*:(?!\/\/)(\S+)@(?!sha(?:256|512):[0-9a-f]{64})[^\s@/]+\/?\s*$/i;

/** The passwords and tokens of every URL in a text, as written and percent-decoded. */
export function urlCredentials(text: string): string[] {
  const [, password] = (URL.canParse(text) && text.includes("://") ? undefined : CARELESS.exec(text)) ?? [];
  if (password !== undefined) return [password, decoded(password)];
  return [...text.matchAll(USER_INFO)].flatMap(([, scheme = "", info = ""]) => credentialsIn(scheme, info));
}

function credentialsIn(scheme: string, info: string): string[] {
  const colon = info.indexOf(":");
  const secret = colon >= 0 ? info.slice(colon + 1) : TOKEN_SCHEME.test(scheme) ? info : "";
  return secret === "" ? [] : [secret, decoded(secret)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
