import { escapeControls, printableText } from "@tgo/errors";

/** Shorter strings are not secrets, and replacing them would garble messages. */
const SHORTEST_SECRET = 6;

/**
 * Removes every credential that this process has read from whatever it prints. The last line of defence: no code
 * should print one in the first place.
 */
export class Redaction {
  private readonly secrets = new Set<string>();

  add(secret: string): void {
    const trimmed = secret.trim();
    const encodings = [trimmed, encodeURIComponent(trimmed), Buffer.from(trimmed).toString("base64")];
    const inJson = JSON.stringify(trimmed).slice(1, -1);
    for (const encoding of [...encodings, inJson, printableText(trimmed), escapeControls(inJson)]) {
      if (encoding.length >= SHORTEST_SECRET) this.secrets.add(encoding);
    }
  }

  /** Adds a secret's whole text and every value in it; of a Docker config only the credentials. */
  addText(text: string): void {
    for (const secret of dockerConfigSecrets(text) ?? [text, ...valuesIn(text)]) this.add(secret);
  }

  clean(text: string): string {
    // Longest first: base64 of "user:password" may contain a shorter secret.
    const known = [...this.secrets].sort((a, b) => b.length - a.length);
    return known.reduce((rest, secret) => rest.replaceAll(secret, "***"), text);
  }
}

/** The values of NAME=value lines, as in an .npmrc or a build secrets file, and the passwords of a netrc. */
function valuesIn(text: string): string[] {
  const assigned = [...text.matchAll(/^[^=\n#]+=[ \t]*(.+)$/gm)].flatMap(([, value = ""]) => [
    value,
    value.trim().replace(/^(["'])(.*)\1$/, "$2"),
  ]);
  return [...assigned, ...[...text.matchAll(/\bpassword\s+(\S+)/g)].map(([, word = ""]) => word)];
}

const SECRET_KEYS = new Set(["auth", "password", "identitytoken", "registrytoken"]);

/** The credentials in a Docker config; undefined if the text is not one. */
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
