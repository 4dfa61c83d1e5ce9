import { describe, expect, it } from "vitest";
import { parseDockerfile, parseJsonList, quoteFlag, splitWords } from "../src/index.js";

const read = (text: string) =>
  parseDockerfile(text).instructions.map(({ keyword, flags, rest, lines }) =>
    [lines.join("-"), keyword, ...flags, rest].join("|"),
  );

describe("instructions", () => {
  it.each<[string, string, string[]]>([
    [
      "any case, tabs, carriage returns and a byte-order mark",
      "\uFEFFfrom\ta \r\nRuN  b\tc\r\n",
      ["0-1|FROM|a", "1-2|RUN|b\tc"],
    ],
    ["continued lines", "RUN a \\\n  b\\ \nc", ["0-3|RUN|a   bc"]],
    [
      "comments and empty lines in between",
      "RUN a \\\n# no \\\n  # no\n\n  b\n#c\nUSER d",
      ["0-5|RUN|a   b", "6-7|USER|d"],
    ],
    [
      "an escaped escape character at the end, which continues nothing",
      "RUN a \\\\\nUSER b",
      ["0-1|RUN|a \\\\", "1-2|USER|b"],
    ],
    ["another escape character", "# escape=`\nRUN a `\n  b \\\nUSER c", ["1-3|RUN|a   b \\", "3-4|USER|c"]],
    ["a directive after a comment, which is none", "# hello\n# escape=`\nRUN a \\\n b", ["2-4|RUN|a  b"]],
    [
      "flags in quotes and over lines",
      'COPY --from="a b" \\\n --chown=x\\ y -- --c d',
      ["0-2|COPY|--from=a b|--chown=x y|--c d"],
    ],
    ["no flags after the first word", "RUN a --b", ["0-1|RUN|a --b"]],
    ["a continued last line", "RUN a \\", ["0-1|RUN|a"]],
  ])("are found with %s", (_, text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it.each<[string, string, string[]]>([
    ["RUN", "RUN <<EOF\nFROM evil\n EOF\nEOF\nUSER a", ["FROM evil\n EOF"]],
    ["a command", "RUN cat <<EOF > /x && b\nc\nEOF\nUSER a", ["c"]],
    ["two files and tabs", "COPY <<-'A' <<\"B\" /\nFROM a\n\tA\nFROM b\nB\nUSER a", ["FROM a", "FROM b"]],
    ["blanks before the word", "ADD << EOF /x\n1\nEOF\nUSER a", ["1"]],
    ["ONBUILD", "ONBUILD RUN <<EOF\n1\nEOF\nUSER a", ["1"]],
    ["a descriptor", "RUN a 3<<EOF\n1\nEOF\nUSER a", ["1"]],
    ["nothing: a shift, a here-string, quotes", "RUN echo $((1<<2)) '<<A' \"b <<C\" <<<D\nUSER a", []],
    ["nothing: JSON", 'RUN ["cat", "<<EOF"]\nUSER a', []],
    ["nothing: another instruction", "ENV A <<EOF\nUSER a", []],
  ])("end after the here-documents of %s", (_, text, expected) => {
    const [first, second, ...more] = parseDockerfile(text).instructions;
    expect(first?.heredocs).toEqual(expected);
    expect([second?.keyword, more]).toEqual(["USER", []]);
  });

  it("end with the file where a here-document has no end", () => {
    const { instructions } = parseDockerfile("FROM a\nRUN <<EOF\nUSER b\n");
    expect(instructions.map(({ keyword }) => keyword)).toEqual(["FROM", "RUN"]);
  });
});

it("directives are read from the first lines", () => {
  const { directives } = parseDockerfile(
    "# Syntax = docker/dockerfile:1 \n#check=skip=all;error=true\nFROM a\n#escape=`",
  );
  expect([...directives]).toEqual([
    ["syntax", "docker/dockerfile:1"],
    ["check", "skip=all;error=true"],
  ]);
});

it("words keep quotes and escapes", () => {
  expect(splitWords(`A="b c" D=e\\ f 'g "h' i\\`, "\\")).toEqual([`A="b c"`, "D=e\\ f", `'g "h'`, "i\\"]);
});

it("a JSON list has only strings", () => {
  expect(parseJsonList('["a", "b c"]')).toEqual(["a", "b c"]);
  expect(["[a]", '["a", 1]', "['a']", '{"a":1}', "a"].map(parseJsonList)).toEqual(Array(5).fill(undefined));
});

it.each(["--from=a", `--from=a b"c'd\\e\`f`])("the flag %s is read as it was written", (flag) => {
  for (const escape of ["\\", "`"]) {
    const [found] = parseDockerfile(`# escape=${escape}\nCOPY ${quoteFlag(flag, escape)} x y`).instructions;
    expect(found).toMatchObject({ flags: [flag], rest: "x y" });
  }
});
