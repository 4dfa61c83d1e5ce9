import { describe, expect, it } from "vitest";
import { parseSecretsFile } from "../../src/dockerfile/parse-secrets-file.js";

const read = (text: string): Record<string, string> =>
  Object.fromEntries(parseSecretsFile(text, "--build-secrets"));

describe("NAME=value lines", () => {
  it.each<[string, Record<string, string>]>([
    ["A=1\nB=2\n", { A: "1", B: "2" }],
    ["\uFEFF# a comment\r\n\r\nexport A=1\r\n", { A: "1" }],
    ["A=p#ss $word = 'x'", { A: "p#ss $word = 'x'" }],
    ["A=", { A: "" }],
    ["A='p\"s $x'", { A: 'p"s $x' }],
    ['A="a\\nb \\"c\\" \\\\"', { A: 'a\nb "c" \\' }],
    ['A="-----BEGIN\nkey\n-----END"\nB=2', { A: "-----BEGIN\nkey\n-----END", B: "2" }],
    ["npm.token=x", { "npm.token": "x" }],
  ])("%j", (text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it.each<[string, RegExp]>([
    ["A=1\nhunter2", /line 2 of --build-secrets is not NAME=value/],
    ["1A=hunter2", /line 1 of/],
    ["A=1\nB='hunter2\nC=3", /line 2 of.*has an unclosed '/],
    ['A="hunter2" hunter2"', /line 1 of.*has text after its closing quote/],
  ])("%j is rejected with its line number, but never shown", (text, message) => {
    expect(() => read(text)).toThrow(message);
    expect(() => read(text)).not.toThrow(/hunter2/);
  });
});
