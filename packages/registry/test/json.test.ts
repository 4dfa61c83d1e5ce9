import { expect, test } from "vitest";
import { canonicalJson } from "../src/json.js";

test.each([
  [{ b: 1, a: [2, { d: null, c: "x" }] }, '{"a":[2,{"c":"x","d":null}],"b":1}'],
  [{ "10": 1, "9": 2, é: 3, z: 4 }, '{"10":1,"9":2,"z":4,"é":3}'],
  [{ kept: null, dropped: undefined }, '{"kept":null}'],
])("%o has one text, whatever the order of its keys", (value, text) => {
  expect(canonicalJson(value)).toBe(text);
  expect(canonicalJson(Object.fromEntries(Object.entries(value).reverse()))).toBe(text);
});
