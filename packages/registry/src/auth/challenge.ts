/** One challenge of a `WWW-Authenticate` header: RFC 9110, section 11.6.1. */
export interface Challenge {
  /** Lower case: "bearer", "basic". */
  readonly scheme: string;
  /** Parameter names in lower case, values unquoted. */
  readonly parameters: Readonly<Record<string, string>>;
}

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const TOKEN68 = /[A-Za-z0-9\-._~+/]+=*(?=\s*(?:,|$))/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
const BLANK = /[ \t]*/y;
const EQUALS = /[ \t]*=[ \t]*/y;
const COMMAS = /(?:[ \t]*,)*[ \t]*/y;

/**
 * Parses every challenge. Several challenges may share one header, separated by the same commas that separate
 * parameters, and commas occur inside quoted values (`scope="repository:a:pull,push"`).
 * Parsing stops at what cannot be read; the challenges before it count.
 */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(header) ?? undefined;
    if (match !== undefined) at = pattern.lastIndex;
    return match;
  };

  for (take(COMMAS); at < header.length; take(COMMAS)) {
    const word = take(TOKEN)?.[0];
    if (word === undefined) break;
    const current = challenges.at(-1);
    if (current !== undefined && take(EQUALS) !== undefined) {
      // Some servers leave a value unquoted although it has characters that a token may not have.
      const value = take(QUOTED)?.[1]?.replace(/\\(.)/g, "$1") ?? take(/[^,\s]*/y)?.[0] ?? "";
      current.parameters[word.toLowerCase()] = value;
      continue;
    }
    challenges.push({ scheme: word.toLowerCase(), parameters: {} });
    take(BLANK);
    take(TOKEN68);
  }
  return challenges;
}
