import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { root } from "../root.mjs";
import { hashOf, outOfStep, sectionsOf, translatedPages } from "../translations.mjs";

const read = (path) => readFile(`${root}/${path}`, "utf8");

it("translations are in step with their English pages", async () => {
  const pages = await translatedPages();
  expect(pages.length).toBeGreaterThan(0);
  expect(await outOfStep(pages, JSON.parse(await read("docs/zh/sources.json")), read)).toEqual([]);
});

it("a translation is out of step when a word or a section of its page changed, not when lines break elsewhere", async () => {
  const page = { source: "a.md", translation: "zh/a.md" };
  const english = "# A\n\nOne two [b](b.md).\n\n## B\n\n```sh\n## no heading\n```\n";
  const recorded = {
    "a.md": Object.fromEntries(sectionsOf(english).map((each) => [each.heading, hashOf(each)])),
  };
  const problems = (source, translation = "# 甲\n\n## 乙\n\n```sh\n## no heading\n```\n") =>
    outOfStep([page], recorded, (path) => Promise.resolve(path === "a.md" ? source : translation));

  expect(await problems(english)).toEqual([]);
  expect(await problems(english.replace("One two", "One\ntwo"))).toEqual([]);
  expect(await problems(english.replace("(b.md)", "(../b.md#c)"))).toEqual([]);
  expect(await problems(english.replace("two", "three"))).toEqual([
    'a.md, "A", changed since it was translated in zh/a.md',
  ]);
  expect(await problems(english, "# 甲\n\n## 乙\n")).toEqual(["zh/a.md has other commands than a.md"]);
  expect(await problems(english, "# 甲\n")).toEqual(["zh/a.md has 1 sections, a.md 2"]);
});
