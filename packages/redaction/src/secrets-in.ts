import { urlCredentials } from "./url-credentials.js";

/**
 * The credentials in a document that somebody passed as a secret. Names, hosts and settings in it are public, and stay
 * readable in messages:
 * - JSON: the texts in it, except under public names (type, host, client_email, …) and plain addresses; of a Docker
 *   config only auth, password and tokens
 * - .npmrc: _authToken, _auth, _password, inline keys
 * - netrc: passwords
 * - NAME=value lines, also quoted over several lines and with escapes: values, and what is in them
 * - PEM: the lines of private keys, never those of certificates
 *
 * Anything else is a secret as a whole, line by line.
 */
export function secretsIn(text: string): string[] {
  const json = parsed(text);
  if (json !== undefined) return [...jsonSecrets(json), ...urlCredentials(text)];
  const isNpmrc = /^[ \t]*(?:\/\/|_auth|(?:@[\w-]+:)?registry[ \t]*=)/m.test(text);
  const isNetrc = /(?:^|\s)(?:machine\s+\S+|default)\s[^]*\bpassword\s/.test(text);
  const passwords = isNetrc
    ? [...text.matchAll(/\bpassword\s+("(?:\\.|[^"\\])*"|\S+)/g)].flatMap(([, word = ""]) => valueForms(word))
    : [];
  const quoted: string[] = [];
  const rest = withoutCertificates(text).replace(QUOTED, (_, name: string, value: string) => {
    quoted.push(...valueSecrets(name, value, isNpmrc));
    return "";
  });
  // In no known format: one secret, of several lines.
  if (!isNpmrc && !isNetrc && rest === text && !ANY_ASSIGNED.test(text)) return [text, ...inUrl(text)];
  const lines = rest.split(/\r?\n/).map((line) => line.trim());
  const single = lines.filter((line) => line !== "").length === 1;
  const others = lines.flatMap((line) => {
    if (line === "" || (!single && /^(?:[#;]|\[[^\]]*\]$)/.test(line))) return [];
    const [, name = "", value = ""] = ASSIGNED.exec(line) ?? [];
    if (name !== "") return [...valueSecrets(name, value, isNpmrc), ...(single && !isNpmrc ? [line] : [])];
    return isNetrc || isNpmrc ? [] : [line];
  });
  return [...passwords, ...quoted, ...others, ...urlCredentials(text)];
}

const NAME = String.raw`^[ \t]*(?:export[ \t]+)?((?:\/\/|@)[^\s=]+|[\w.-]+)`;

/** NAME="value" and NAME='value', of one or several lines. */
const QUOTED = new RegExp(String.raw`${NAME}[ \t]*=[ \t]*("(?:\\[^]|[^"\\])*"|'[^']*')[ \t]*$`, "gm");

/** NAME=value and NAME: value. The end of a base64 text is no value. */
const ASSIGNED = new RegExp(String.raw`${NAME}(?:[ \t]*=|:[ \t])[ \t]*(?!=*$)(.+)$`);

const ANY_ASSIGNED = new RegExp(ASSIGNED.source, "m");

/** https://docs.npmjs.com/cli/v10/configuring-npm/npmrc#auth-related-configuration */
const NPM_SECRET = /(?:^|:)(?:_authToken|_auth|_password|key|token|password)$/i;

function valueSecrets(name: string, value: string, isNpmrc: boolean): string[] {
  if (/^\$\{?\w+\}?$/.test(value) || (isNpmrc && !NPM_SECRET.test(name))) return [];
  const forms = valueForms(value);
  return /_(?:auth|password)$/.test(name) ? [...forms, ...forms.flatMap(afterUser)] : forms;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/** A value as written, without its quotes, and with its escapes replaced; and the secrets in it. */
function valueForms(value: string): string[] {
  const inner = value.trim().replace(/^(["'])([^]*)\1$/, "$2");
  const expanded = inner.replaceAll(/\\([^])/g, (_, char: string) => ESCAPES[char] ?? char);
  const forms = [...new Set([inner, expanded])];
  return forms.flatMap((form) => (/\n|^\s*[[{]/.test(form) ? secretsIn(form) : [form, ...inUrl(form)]));
}

/** Of an address, the user's credentials, and what is long enough for a token, as in the path of a webhook. */
function inUrl(text: string): string[] {
  return [
    ...urlCredentials(text),
    ...(text.includes("://") ? (text.match(/(?<=[/=])[\w-]{16,}/g) ?? []) : []),
  ];
}

/** The password in a Basic credential, the base64 of user:password; npm's _password is one without a user. */
function afterUser(credential: string): string[] {
  const decoded = Buffer.from(credential, "base64").toString("utf8");
  return [decoded.slice(decoded.indexOf(":") + 1)];
}

/** Certificates and public keys are public. */
function withoutCertificates(text: string): string {
  return text.replaceAll(
    /-----BEGIN ([A-Z0-9 ]*(?:CERTIFICATE|PUBLIC KEY)[A-Z0-9 ]*)-----[^]*?-----END \1-----/g,
    "",
  );
}

const DOCKER_SECRET = /^(?:auth|password|identitytoken|registrytoken)$/i;

/** Names under which JSON documents keep what identifies, and opens nothing. */
const PUBLIC_NAME =
  /^(?:type|kind|host|hostname|server|project(?:_id)?|client_email|client_id|email|user(?:_?name)?|name|region|universe_domain|scopes?|expir\w*|version|alg|issuer)$/i;

/** An address without anything long enough to be a token, as in the path of a webhook. */
const PUBLIC_URL = /^https?:\/\/[\w.:-]+(?:\/[\w.-]{0,15})*$/;

function jsonSecrets(json: object): string[] {
  const isDocker = ["auths", "credHelpers", "credsStore"].some((key) => key in json);
  const found: string[] = [];
  const visit = (value: unknown, name: string): void => {
    if (typeof value === "object" && value !== null) {
      for (const [key, inner] of Object.entries(value)) visit(inner, Array.isArray(value) ? name : key);
    } else if (typeof value === "string" || typeof value === "number") {
      const text = String(value);
      if (isDocker ? !DOCKER_SECRET.test(name) : PUBLIC_NAME.test(name) || PUBLIC_URL.test(text)) return;
      found.push(...valueForms(text), ...(name === "auth" ? afterUser(text) : []));
    }
  };
  visit(json, "");
  return found;
}

function parsed(text: string): object | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === "object" && json !== null ? json : undefined;
  } catch {
    return undefined;
  }
}
