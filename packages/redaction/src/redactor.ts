import { secretsIn } from "./secrets-in.js";
import { spellings } from "./spellings.js";
import { maskUrlCredentials, urlCredentials } from "./url-credentials.js";

/** Shorter texts are not masked: they occur in ordinary output, where stars would hide it and reveal the secret. */
export const SHORTEST_SECRET = 6;

/** Words that files of secrets contain and everyone knows. Shorter ones are not masked anyway. */
const COMMON =
  /^(?:enabled?|disabled?|production|development|staging|testing|default|localhost|latest|master|public|private|password|secret|warning|verbose|docker|github|gitlab|postgres|__token__|<token>|oauth2(?:accesstoken)?|x-access-token|anonymous|registry)$/i;

/** Secrets of other parties, recognized by their shape. */
const KNOWN_SHAPES: readonly (readonly [RegExp, string])[] = [
  // Not the words of "Basic authentication": a digit, padding or a capital letter inside. Nor the address of a registry
  // that is called so in a catalog, beside its name in a table. Nor what a server asks for: `Basic realm="…"`.
  [
    /\b([Bb]earer|[Bb]asic)\s+(?![\w.-]+:\d)(?!(?:realm|service|scope|error|charset)=")(?=[\w+/=.~-]*(?:[0-9=]|[a-z][A-Z]))[\w+/=.~-]{6,}/g,
    "$1 ***",
  ],
  [/\bdckr_[a-z]+_[\w-]+/g, "***"],
  [/\b(?:(?:gh[pousr]_|github_pat_|glpat-)[\w-]+|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{50,})/g, "***"],
  [/\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?/g, "***"],
];

/** Knows secrets, and masks them in everything that is shown or stored. */
export class Redactor {
  readonly #secrets = new Map<string, readonly RegExp[]>();

  /** Adds one credential. Of several lines, each is one, and all together. */
  add(secret: string): void {
    const lines = secret.trim().split(/\s*[\r\n]\s*/);
    if (lines.length > 1) {
      const whole = lines.map((line) => line.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join("\\s*[\\r\\n]\\s*");
      this.#secrets.set(secret, [new RegExp(whole, "g")]);
    }
    for (const text of lines) {
      if (text.length < SHORTEST_SECRET || COMMON.test(text) || text.startsWith("-----")) continue;
      if (!this.#secrets.has(text)) this.#secrets.set(text, spellings(text));
    }
  }

  /** Adds the credentials in a document; of a text in no known format, all of it. See {@link secretsIn}. */
  addText(text: string): void {
    for (const secret of secretsIn(text)) this.add(secret);
  }

  /** Adds the credentials of URLs in texts, such as the values of HTTPS_PROXY or PIP_INDEX_URL. */
  addUrls(texts: Iterable<string | undefined>): void {
    for (const text of texts) for (const secret of urlCredentials(text ?? "")) this.add(secret);
  }

  /** The text for people: with the known secrets masked, and what looks like a credential. */
  clean(text: string): string {
    const rest = maskUrlCredentials(this.mask(text));
    return KNOWN_SHAPES.reduce((masked, [shape, mask]) => masked.replace(shape, mask), rest);
  }

  /** The text with the known secrets masked, and nothing else: it may be a program's result. */
  mask(text: string): string {
    const found: (readonly [from: number, to: number])[] = [];
    for (const patterns of this.#secrets.values()) {
      for (const pattern of patterns) {
        for (const match of text.matchAll(pattern)) found.push([match.index, match.index + match[0].length]);
      }
    }
    return withoutParts(text, found);
  }
}

/** Parts that overlap are masked as one, so that a secret inside another leaves no rest. */
function withoutParts(text: string, parts: (readonly [from: number, to: number])[]): string {
  if (parts.length === 0) return text;
  let masked = "";
  let end = 0;
  for (const [from, to] of parts.sort(([a], [b]) => a - b)) {
    if (from >= end) masked += `${text.slice(end, from)}***`;
    end = Math.max(end, to);
  }
  return masked + text.slice(end);
}
