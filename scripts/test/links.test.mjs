import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { brokenLinks } from "../links.mjs";
import { root } from "../root.mjs";

it("every link between pages of the repository leads somewhere", () => {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], {
    cwd: root,
    encoding: "utf8",
  });
  const pages = listed.split("\n").filter((path) => path !== "" && existsSync(`${root}/${path}`));
  expect(pages.length).toBeGreaterThan(50);
  expect(
    brokenLinks(
      pages,
      (path) => readFileSync(`${root}/${path}`, "utf8"),
      (path) => existsSync(`${root}/${path}`),
    ),
  ).toEqual([]);
});

it("a link to a missing page or heading is found, in Chinese too; one in a code block is none", () => {
  const pages = {
    "docs/a.md":
      "# A `b` c\n\n[x](zh/b.md#第一次发布) [y](#a-b-c) [w](https://example.com)\n\n```text\n[z](none.md)\n```\n",
    "docs/zh/b.md": '# 第一次发布\n\n[a](../a.md#gone) <img src="no.png"> [c](../c.md)\n',
  };
  expect(
    brokenLinks(
      Object.keys(pages),
      (path) => pages[path],
      (path) => path in pages,
    ),
  ).toEqual(["docs/zh/b.md: ../a.md#gone", "docs/zh/b.md: no.png", "docs/zh/b.md: ../c.md"]);
});
