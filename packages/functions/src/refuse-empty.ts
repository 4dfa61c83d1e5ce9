import { emptyFlag, flagOf, TgoError } from "@tgo/errors";

/**
 * Refuses arguments that were given, but empty: `--registry "$UNSET"` must not mean the catalog's registries.
 * @param given by the arguments' names; others than texts and lists are not looked at
 * @throws TgoError USAGE naming the flag
 */
export function refuseEmpty(given: object): void {
  for (const [name, value] of Object.entries(given) as [string, unknown][]) {
    const texts = Array.isArray(value) ? (value as readonly unknown[]) : [value];
    if (texts.length > 0 && !texts.some((text) => typeof text === "string" && text.trim() === "")) continue;
    throw emptyFlag(flagOf(name));
  }
}

/**
 * @param range.max inclusive
 * @throws TgoError USAGE naming the flag and the range
 */
export function requireWhole(flag: string, value: number, { max }: { readonly max: number }): void {
  if (Number.isInteger(value) && value >= 0 && value <= max) return;
  throw new TgoError("USAGE", `--${flag} must be a whole number from 0 to ${max}, not ${value}`);
}
