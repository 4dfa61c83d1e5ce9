import { appendFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { PACKAGES } from "../import-table.mjs";
import { lintHashes } from "../lint-hashes.mjs";

const FOLDERS = [
  ...Object.keys(PACKAGES).map((name) => `packages/${name}`),
  "pipelines/tgo",
  "apps/tgo",
  "bench",
];

let root;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "lint-"));
  const top = ["eslint.config.js", "tsconfig.json", "tsconfig.base.json", "package-lock.json"];
  const files = [...top, "vitest.config.ts", ".dependency-cruiser.mjs"];
  for (const folder of FOLDERS) files.push(`${folder}/src/index.ts`, `${folder}/.cache/types/index.d.ts`);
  for (const file of files) await write(file);
});
afterAll(() => rm(root, { recursive: true }));

async function write(file) {
  await mkdir(dirname(`${root}/${file}`), { recursive: true });
  await writeFile(`${root}/${file}`, "");
}

/** The folders that are linted again after an edit. */
async function staleAfter(file) {
  const before = await lintHashes(root, FOLDERS);
  await appendFile(`${root}/${file}`, "// edited\n");
  const after = await lintHashes(root, FOLDERS);
  return Object.keys(after).filter((folder) => after[folder] !== before[folder]);
}

it("an edit that no declaration shows lints its package only", async () => {
  expect(await staleAfter("packages/release-rules/src/index.ts")).toEqual(["packages/release-rules"]);
});

it("a changed declaration lints what may import it, directly or through others", async () => {
  const stale = await staleAfter("packages/release-rules/.cache/types/index.d.ts");
  expect(stale).toEqual(
    expect.arrayContaining(["packages/catalog", "packages/progress", "pipelines/tgo", "bench"]),
  );
  expect(stale).not.toContain("packages/registry");
  expect(stale).not.toContain("packages/release-rules");
});

it("a changed declaration of testing lints the tests of every package", async () => {
  const stale = await staleAfter("packages/testing/.cache/types/index.d.ts");
  expect(stale.sort()).toEqual(FOLDERS.filter((folder) => folder !== "packages/testing").sort());
});

it("changed rules or libraries lint everything", async () => {
  expect((await staleAfter("eslint.config.js")).sort()).toEqual([...FOLDERS].sort());
  expect((await staleAfter("package-lock.json")).sort()).toEqual([...FOLDERS].sort());
});

it("nothing counts as unchanged without declarations", async () => {
  await rm(`${root}/packages/report/.cache`, { recursive: true });
  await expect(lintHashes(root, FOLDERS)).rejects.toThrow("packages/report has no declarations");
});
