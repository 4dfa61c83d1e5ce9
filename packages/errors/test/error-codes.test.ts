import { build } from "esbuild";
import { readdir } from "node:fs/promises";
import { expect, it } from "vitest";
import { ERROR_CODES, type ErrorCodeEntry } from "../src/index.js";

const MADE =
  "This page is made from [`error-codes.ts`](PATHpackages/errors/src/error-codes.ts): `npx vitest run --project unit\n" +
  "packages/errors -u` writes it.";

/** The list of codes as Markdown. */
function index(): string {
  return `${[
    "# Error codes",
    "Every problem in a report has a code, for programs: `problems[].code` in JSON. The codes are stable; messages are not.\n" +
      "`tgo explain CODE` shows a code's page without a network.",
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
    `[All codes](../errors.md) · \`tgo explain ${code}\``,
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

it("docs/reference/errors has no page of a code that is gone", async () => {
  const pages = await readdir(new URL("../../../docs/reference/errors/", import.meta.url));
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
  for (const { cause } of Object.values(ERROR_CODES)) expect(text).not.toContain(cause);
});
