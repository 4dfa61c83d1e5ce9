/** Replaces secrets in a text with ***, the longest first, so that a secret inside another leaves no rest. */
export function scrubber(secrets: readonly string[]): (text: string) => string {
  const known = secrets
    .flatMap((secret) => [
      secret,
      secret.trim(),
      ...(secret.includes("\n") ? secret.split("\n").filter((l) => l.length > 7) : []),
    ])
    .filter((secret) => secret !== "")
    .sort((a, b) => b.length - a.length);
  return (text) => known.reduce((clean, secret) => clean.replaceAll(secret, "***"), text);
}
