import { TgoError } from "@tgo/errors";
import { unknownValue } from "./nearest.js";
import type { Argument, ModuleApi, Type } from "./module-api.js";

/** What was typed for one flag: one text, several for a list, or a switch. */
export type Typed = string | boolean | readonly string[];

/** A flag's value as the module takes it, or the text of an object that an engine has to make. */
export type Scalar = string | number | boolean;

/** "string", "linux/amd64"…: what help shows between angle brackets. */
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
 * The items of a list's value: separated by commas, an item with a comma in double quotes.
 * The same rule as the dagger command's: https://pkg.go.dev/github.com/spf13/pflag#StringSlice
 */
export function splitList(text: string): string[] {
  const items = text.match(/"(?:[^"]|"")*"|[^,]+/g) ?? [];
  return items
    .map((item) => (item.startsWith('"') ? item.slice(1, -1).replaceAll('""', '"') : item.trim()))
    .filter((item) => item !== "");
}

/**
 * One typed text as the value of a string, integer or enum; objects stay text.
 * @throws TgoError USAGE naming the flag, and the nearest value of an enum.
 */
export function parseScalar(argument: Argument, type: Type, text: string, enums: ModuleApi["enums"]): Scalar {
  switch (type.kind) {
    case "integer": {
      if (!/^-?\d+$/.test(text)) {
        const example = typeof argument.default === "number" ? argument.default : 1;
        throw new TgoError("USAGE", `--${argument.flag} must be a whole number, not "${text}"`, {
          remedy: `Write for example --${argument.flag} ${example}.`,
        });
      }
      return Number(text);
    }
    case "enum": {
      const values = enums[type.name ?? ""]?.values ?? [];
      const wanted = text.toLowerCase();
      const found = values.find(
        (each) => each.value.toLowerCase() === wanted || each.name.toLowerCase() === wanted,
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
      if (text === "") throw new TgoError("USAGE", `--${argument.flag} is empty`);
      return text;
  }
}
