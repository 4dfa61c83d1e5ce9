import { expect, it } from "vitest";
import { newerInLine, parseVersion } from "../src/index.js";

const versions = (...texts: readonly string[]) => texts.map((text) => parseVersion(text));

it.each([
  ["1.2.4", ["1.2.3", "1.3.0", "2.0.0"], undefined],
  ["1.2.2", ["1.2.3", "1.2.5", "1.3.0"], "1.2.5"],
  ["1.2.3", ["1.2.3", "1.2.4"], undefined],
  ["1.2.3-rc.1", ["1.2.3"], "1.2.3"],
  ["1.2.3", ["1.2.3-rc.1"], undefined],
  ["1.0.0", [], undefined],
])("%s after %s: held back by %s", (version, released, expected) => {
  expect(newerInLine(parseVersion(version), versions(...released))?.text).toBe(expected);
});
