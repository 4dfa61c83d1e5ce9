import { build } from "esbuild";
import { expect, it } from "vitest";
import { ERROR_CODES } from "../src/index.js";

/** The page as Markdown. */
function page(): string {
  const sections = Object.entries(ERROR_CODES).map(([code, { cause, remedy, again, examples }]) =>
    [
      `## ${code}`,
      cause,
      `**What to do.** ${remedy}${again ? " The same command may succeed later." : ""}`,
      ...examples.flatMap((example, at) => [
        `${at === 0 ? "For example, " : "Or "}${example.situation}:`,
        [
          "```text",
          ...example.what.split("\n"),
          ...(example.remedy?.split("\n") ?? []).map((line) => `-> ${line}`),
          "```",
        ].join("\n"),
      ]),
    ].join("\n\n"),
  );
  return `${[
    "# Error codes",
    "Every problem in a report has a code, for programs: `problems[].code` in JSON. The codes are stable; messages are not.\n" +
      "This page is made from [`error-codes.ts`](../packages/errors/src/error-codes.ts): `npx vitest run --project unit\n" +
      "packages/errors -u` writes it.",
    ...sections,
  ].join("\n\n")}\n`;
}

it("docs/errors.md says what the data says", async () => {
  await expect(page()).toMatchFileSnapshot("../../../docs/errors.md");
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
