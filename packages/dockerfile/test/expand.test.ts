import { describe, expect, it } from "vitest";
import { expand } from "../src/index.js";

const VARIABLES: Readonly<Record<string, string>> = {
  V: "v1.2.3",
  EMPTY: "",
  PATH_: "/usr/local/bin",
  我: "x",
};
const text = (word: string, escape?: string): string => expand(word, (name) => VARIABLES[name], escape);

describe("variables are replaced", () => {
  // From BuildKit's frontend/dockerfile/shell/lex_test.go and envVarTest, by its rules.
  it.each([
    ["$V", "v1.2.3"],
    ["${V}x$V", "v1.2.3xv1.2.3"],
    ["a$NONE.b", "a.b"],
    ["$", "$"],
    ["$1$V", "v1.2.3"],
    ["$我", "x"],
    ["${NONE:-d}${NONE-d}", "dd"],
    ["${EMPTY:-d}[${EMPTY-d}]", "d[]"],
    ["${V:+s}${V+s}${NONE:+s}${NONE+s}${EMPTY:+s}${EMPTY+s}", "sss"],
    ["${NONE:-${V}}", "v1.2.3"],
    ["${NONE:-a$EMPTY\\}b}", "a}b"],
    ["${V#v}", "1.2.3"],
    ["${V#*.}|${V##*.}", "2.3|3"],
    ["${V%.*}|${V%%.*}", "v1.2|v1"],
    ["${V%x}${NONE#a}", "v1.2.3"],
    ["${V/./-}|${V//./-}", "v1-2.3|v1-2-3"],
    ["${PATH_//\\//_}", "_usr_local_bin"],
    ["${PATH_/#*/x}", "/usr/local/bin"],
    ["${V:?must}", "v1.2.3"],
    ["'$V'", "$V"],
    ['"$V"', "v1.2.3"],
    ['"\\$V \\" \\a"', '$V " \\a'],
    ["\\$V\\ \\'", "$V '"],
    ["a\\", "a"],
    ["it''s", "its"],
  ])("in %s", (word, expected) => {
    expect(text(word)).toBe(expected);
  });

  it("with the file's own escape character", () => {
    expect(text("`$V\\$V", "`")).toBe("$V\\v1.2.3");
  });

  it.each(["${V", "${}", "${:x}", "${{V}}", "${V:#x}", "${V^^}", "${NONE:?must}", "${EMPTY:?}", "'a", '"a'])(
    "and %s is an error",
    (word) => {
      expect(() => text(word)).toThrow("cannot expand");
    },
  );
});
