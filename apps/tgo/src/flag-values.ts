import { emptyFlag, TgoError } from "@tgo/errors";
import { unknownValue } from "./unknown-value.js";
import type { Argument, ModuleApi, Type } from "./module-api.js";

/** A flag's value as the module takes it, or the text for an object that only an engine can make. */
export type Scalar = string | number | boolean;

/** By the argument's name; absent when not given. */
export type FlagValues = ReadonlyMap<string, Scalar | readonly Scalar[]>;

/** What help shows between a flag's angle brackets. */
export function placeholder(type: Type): string {
  switch (type.kind) {
    case "list":
      return type.of === undefined ? "value,..." : `${placeholder(type.of)},...`;
    case "enum":
      return (type.name ?? "value").toLowerCase();
    case "object":
      return OBJECT_PLACEHOLDERS[type.name ?? ""] ?? "value";
    case "integer":
      return "number";
    default:
      return "text";
  }
}

const OBJECT_PLACEHOLDERS: Readonly<Record<string, string>> = {
  Directory: "folder",
  File: "file",
  Secret: "secret",
  Service: "address",
};

/**
 * The items of a comma-separated list; an item with a comma is in double quotes. The dagger command's rule:
 * https://pkg.go.dev/github.com/spf13/pflag#StringSlice
 * @param flag that the text is for
 * @throws TgoError USAGE for a list without items: a variable that is not set must not mean the default
 */
export function splitList(flag: string, text: string): string[] {
  const items = (text.match(/"(?:[^"]|"")*"|[^,]+/g) ?? [])
    .map((item) => (item.startsWith('"') ? item.slice(1, -1).replaceAll('""', '"') : item.trim()))
    .filter((item) => item.trim() !== "");
  requireText(flag, items.join(""));
  return items;
}

/**
 * Refuses an empty value of any flag: it usually is a shell variable that is not set.
 * @throws TgoError USAGE naming the flag
 */
export function requireText(flag: string, text: string): string {
  if (text.trim() !== "") return text;
  throw emptyFlag(flag);
}

/** Go's int on every platform of Dagger's engine. */
const MAX_INTEGER = 2 ** 31 - 1;

/**
 * Parses a string, integer or enum; objects stay text.
 * @throws TgoError USAGE naming the flag, and the nearest value of an enum
 */
export function parseScalar(argument: Argument, type: Type, text: string, enums: ModuleApi["enums"]): Scalar {
  requireText(argument.flag, text);
  switch (type.kind) {
    case "integer": {
      const isWhole = /^-?\d+$/.test(text);
      if (!isWhole || Number(text) < 0 || Number(text) > MAX_INTEGER) {
        const example = typeof argument.default === "number" ? argument.default : 1;
        const wanted = isWhole ? `from 0 to ${MAX_INTEGER}` : "a whole number";
        throw new TgoError("USAGE", `--${argument.flag} must be ${wanted}, not "${text}"`, {
          remedy: `For example: --${argument.flag} ${example}.`,
        });
      }
      return Number(text);
    }
    case "enum": {
      const values = enums[type.name ?? ""]?.values ?? [];
      const name = text.toLowerCase();
      const found = values.find(
        (each) => each.value.toLowerCase() === name || each.name.toLowerCase() === name,
      );
      if (found === undefined)
        throw unknownValue(
          argument.flag,
          text,
          values.map(({ value }) => value),
        );
      return found.value;
    }
    default:
      return text;
  }
}
