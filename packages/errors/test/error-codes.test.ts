import { build } from "esbuild";
import { readdir } from "node:fs/promises";
import { expect, it } from "vitest";
import { CHINESE_ERROR_CODES, ERROR_CODES, type ErrorCodeEntry } from "../src/index.js";

const MADE =
  "This page is made from [`error-codes.ts`](PATHpackages/errors/src/error-codes.ts): `npx vitest run --project unit\n" +
  "packages/errors -u` writes it.";

const MADE_IN_CHINESE =
  "本页由 [`error-codes-zh.ts`](PATHpackages/errors/src/error-codes-zh.ts) 生成：`npx vitest run --project unit\n" +
  "packages/errors -u`。";

/** The list of codes as Markdown. */
function index(): string {
  return `${[
    "# Error codes",
    "Every problem in a report has a code, for programs: `problems[].code` in JSON. The codes are stable; messages are not.\n" +
      "`npx --no-install tgo explain DENIED` shows the page of a code, here DENIED, without a network.",
    MADE.replace("PATH", "../../"),
    Object.entries(ERROR_CODES)
      .map(([code, { cause }]) => `- [${code}](errors/${code}.md): ${cause}`)
      .join("\n"),
  ].join("\n\n")}\n`;
}

/** The page of a code as Markdown. */
function page(code: string, { cause, remedy, again, examples }: ErrorCodeEntry): string {
  return `${[
    `# ${code}`,
    cause,
    "## What to do",
    `${remedy}${again ? " The same command may succeed later." : ""}`,
    "## Examples",
    ...examples.flatMap((example, at) => [
      `${at === 0 ? "For example, " : "Or "}${example.situation}:`,
      [
        "```text",
        ...example.what.split("\n"),
        ...(example.remedy?.split("\n") ?? []).map((line) => `-> ${line}`),
        "```",
      ].join("\n"),
    ]),
    `[All codes](../errors.md) · \`npx --no-install tgo explain ${code}\``,
    MADE.replace("PATH", "../../../"),
  ].join("\n\n")}\n`;
}

it("docs/reference/errors.md lists every code", async () => {
  await expect(index()).toMatchFileSnapshot("../../../docs/reference/errors.md");
});

it.each(Object.entries(ERROR_CODES))(
  "docs/reference/errors/%s.md says what the data says",
  async (code, entry) => {
    await expect(page(code, entry)).toMatchFileSnapshot(`../../../docs/reference/errors/${code}.md`);
  },
);

/** The list in Chinese. */
function chineseIndex(): string {
  return `${[
    "# 错误代码",
    "报告中的每个问题都有一个代码，供程序使用：JSON 中的 `problems[].code`。代码保持稳定，提示文字可能改变。\n" +
      "`npx --no-install tgo explain DENIED` 不用网络即可显示某个代码（这里是 DENIED）的说明；环境变量 `LANG` 以 `zh` 开头时显示中文。",
    MADE_IN_CHINESE.replace("PATH", "../../../"),
    Object.entries(CHINESE_ERROR_CODES)
      .map(([code, { cause }]) => `- [${code}](errors/${code}.md)：${cause}`)
      .join("\n"),
  ].join("\n\n")}\n`;
}

/** The page of a code in Chinese; messages are as they are printed. */
function chinesePage(code: keyof typeof CHINESE_ERROR_CODES): string {
  const { cause, remedy, situations } = CHINESE_ERROR_CODES[code];
  const { again, examples } = ERROR_CODES[code];
  return `${[
    `# ${code}`,
    cause,
    "## 如何处理",
    `${remedy}${again ? "稍后运行同一条命令也可能成功。" : ""}`,
    "## 示例",
    ...examples.flatMap((example, at) => [
      `${at === 0 ? "例如，" : "又如，"}${situations[at] ?? ""}：`,
      [
        "```text",
        ...example.what.split("\n"),
        ...(example.remedy?.split("\n") ?? []).map((line) => `-> ${line}`),
        "```",
      ].join("\n"),
    ]),
    `[所有代码](../errors.md) · \`npx --no-install tgo explain ${code}\``,
    MADE_IN_CHINESE.replace("PATH", "../../../../"),
  ].join("\n\n")}\n`;
}

it("docs/zh/reference/errors.md lists every code", async () => {
  await expect(chineseIndex()).toMatchFileSnapshot("../../../docs/zh/reference/errors.md");
});

it.each(Object.keys(CHINESE_ERROR_CODES) as (keyof typeof CHINESE_ERROR_CODES)[])(
  "docs/zh/reference/errors/%s.md says what the data says, with a situation for each example",
  async (code) => {
    expect(CHINESE_ERROR_CODES[code].situations).toHaveLength(ERROR_CODES[code].examples.length);
    await expect(chinesePage(code)).toMatchFileSnapshot(`../../../docs/zh/reference/errors/${code}.md`);
  },
);

it("docs/reference/errors has no page of a code that is gone", async () => {
  const pagesOf = (folder: string): Promise<string[]> =>
    readdir(new URL(`../../../docs/${folder}/`, import.meta.url));
  const pages = await pagesOf("reference/errors");
  expect((await pagesOf("zh/reference/errors")).sort()).toEqual(pages.sort());
  expect(pages.sort()).toEqual(
    Object.keys(ERROR_CODES)
      .map((code) => `${code}.md`)
      .sort(),
  );
});

it("nothing of the documentation is in a bundle that throws errors", async () => {
  const { outputFiles } = await build({
    stdin: { contents: 'export { TgoError } from "../src/index.ts";', resolveDir: import.meta.dirname },
    bundle: true,
    format: "esm",
    platform: "node",
    write: false,
  });
  const text = outputFiles[0]?.text ?? "";
  expect(text).toContain("TgoError");
  for (const { cause } of [...Object.values(ERROR_CODES), ...Object.values(CHINESE_ERROR_CODES)])
    expect(text).not.toContain(cause);
});
