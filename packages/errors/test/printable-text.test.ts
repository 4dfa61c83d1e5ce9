import { expect, it } from "vitest";
import { escapeControls, oneLine, printableText, TgoError } from "../src/index.js";

it.each([
  ["a colour", "\u001B[1;31mred\u001B[0m and \u009B32mgreen", "red and green"],
  ["a cleared screen", "\u001B[2J", String.raw`\u001b[2J`],
  ["a window title", "\u001B]0;title\u0007", String.raw`\u001b]0;title\u0007`],
  ["a link", "\u001B]8;;http://x\u001B\\here", String.raw`\u001b]8;;http://x\u001b` + "\\here"],
  ["a C1 control", "\u009B2J\u0090", String.raw`\u009b2J\u0090`],
  ["a reversed direction", "\u202Egnp.exe\u2066\u061C", String.raw`\u202egnp.exe\u2066\u061c`],
  ["characters without a width", "a\u200Bb\u2060\uFEFF\u00AD", String.raw`a\u200bb\u2060\ufeff\u00ad`],
  ["invisible tags", "a\u{E0041}", String.raw`a\udb40\udc41`],
  ["NUL, backspace and delete", "\0\b\u007F", String.raw`\u0000\u0008\u007f`],
  ["every line break", "a\r\nb\rc\u2028d\u0085e", "a\nb\nc\nd\ne"],
  ["harmless text", "\ta: 'ä' 服务 👍\n", "\ta: 'ä' 服务 👍\n"],
])("shows %s", (_, text, shown) => {
  expect(printableText(text)).toBe(shown);
});

it("keeps what a JSON document says", () => {
  const value = { "\u001B[2J\u009B\u202E": ["\\\u200B", "\u2028", "a\u{E0041}", "\u0085\u007F"] };
  const text = escapeControls(JSON.stringify(value, null, 2));
  expect(JSON.parse(text)).toEqual(value);
  expect(text).toMatch(/^[\n\x20-\x7E]*$/);
});

it("is the message of an error, which keeps its fields as they were", () => {
  const error = new TgoError("CATALOG", "unknown field: \u001B[2Jx", {
    where: "a\u009Bb",
    remedy: "c\u202Ed",
  });
  expect(error.message).toBe(String.raw`a\u009bb: unknown field: \u001b[2Jx` + "\n" + String.raw`  c\u202ed`);
  expect(error).toMatchObject({ what: "unknown field: \u001B[2Jx", where: "a\u009Bb", remedy: "c\u202Ed" });
  expect(oneLine(error)).toBe(String.raw`unknown field: \u001b[2Jx`);
});
