import { TgoError } from "@tgo/errors";

/**
 * Values of --annotation, NAME=value each.
 * @throws TgoError USAGE for another form, and for a name that is given twice
 */
export function annotationsOf(given: readonly string[]): Record<string, string> {
  const pairs = given.map((text) => {
    const [, name, value] = /^([^=\s]+)=([^]*)$/.exec(text) ?? [];
    if (name === undefined || value === undefined)
      throw new TgoError("USAGE", `--annotation "${text}" is not NAME=value`, {
        remedy: "For example: --annotation org.opencontainers.image.version=1.2.3.",
      });
    return [name, value] as const;
  });
  const names = pairs.map(([name]) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new TgoError("USAGE", `--annotation gives ${twice} twice`);
  return Object.fromEntries(pairs);
}
