/** Shorter strings are no secrets, and replacing them would destroy every message. */
const SHORTEST_SECRET = 6;

/**
 * Knows every credential that this process has read, and takes it out of whatever it prints. The last line
 * of defence: nothing below is supposed to print one.
 */
export class Redaction {
  private readonly secrets = new Set<string>();

  add(secret: string): void {
    const trimmed = secret.trim();
    const spellings = [trimmed, encodeURIComponent(trimmed), Buffer.from(trimmed).toString("base64")];
    const inJson = JSON.stringify(trimmed).slice(1, -1);
    for (const spelling of [...spellings, inJson]) {
      if (spelling.length >= SHORTEST_SECRET) this.secrets.add(spelling);
    }
  }

  /** A secret's whole text, and what in it is a value; of a docker config only the credentials. */
  addText(text: string): void {
    for (const secret of dockerConfigSecrets(text) ?? [text, ...valuesIn(text)]) this.add(secret);
  }

  clean(text: string): string {
    // The longest first: base64 of "user:password" may hold a shorter secret.
    const known = [...this.secrets].sort((a, b) => b.length - a.length);
    return known.reduce((rest, secret) => rest.replaceAll(secret, "***"), text);
  }
}

/** The values of NAME=value lines, as of a .npmrc or a file of build secrets, and the passwords of a netrc. */
function valuesIn(text: string): string[] {
  const assigned = [...text.matchAll(/^[^=\n#]+=[ \t]*(.+)$/gm)].flatMap(([, value = ""]) => [
    value,
    value.trim().replace(/^(["'])(.*)\1$/, "$2"),
  ]);
  return [...assigned, ...[...text.matchAll(/\bpassword\s+(\S+)/g)].map(([, word = ""]) => word)];
}

const SECRET_KEYS = new Set(["auth", "password", "identitytoken", "registrytoken"]);

/** The credentials in a docker config, or undefined when the text is none. */
function dockerConfigSecrets(text: string): string[] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null) return undefined;
  const auths: unknown = "auths" in parsed ? parsed.auths : undefined;
  if (typeof auths !== "object" || auths === null) return [];
  return Object.values(auths).flatMap((entry: unknown) => {
    if (typeof entry !== "object" || entry === null) return [];
    return Object.entries(entry).flatMap(([key, value]: [string, unknown]) => {
      if (!SECRET_KEYS.has(key) || typeof value !== "string") return [];
      if (key !== "auth") return [value];
      const decoded = Buffer.from(value, "base64").toString("utf8");
      return [value, decoded.slice(decoded.indexOf(":") + 1)];
    });
  });
}
