import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { originUrl, tagFacts, TemporaryFolders } from "../src/index.js";

const root = mkdtempSync(join(tmpdir(), "tgo-tags-"));
const origin = join(root, "origin");
const clone = join(root, "clone");
const folders = new TemporaryFolders();
afterAll(async () => {
  await folders.remove();
  rmSync(root, { recursive: true });
});

function git(folder: string, ...args: string[]): string {
  const identity = ["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "protocol.file.allow=always"];
  return execFileSync("git", ["-C", folder, ...identity, ...args], {
    encoding: "utf8",
    stdio: "pipe",
  }).trim();
}

beforeAll(() => {
  execFileSync("git", ["init", "-q", "-b", "trunk", origin]);
  for (const message of ["one", "two"]) git(origin, "commit", "-q", "--allow-empty", "-m", message);
  git(origin, "tag", "-a", "v1.0.0", "-m", "v1.0.0");
  git(origin, "tag", "v1.0.1");
  git(origin, "tag", "-a", "v0.9.0", "-m", "old", "HEAD~1");
  git(origin, "checkout", "-q", "-b", "side");
  git(origin, "commit", "-q", "--allow-empty", "-m", "aside");
  git(origin, "checkout", "-q", "trunk");
  execFileSync("git", ["clone", "-q", origin, clone], { stdio: "pipe" });
});

it.each([
  ["v1.0.0", { tag: "annotated", namesCommit: true }],
  ["v1.0.1", { tag: "lightweight", namesCommit: true }],
  ["v0.9.0", { tag: "annotated", namesCommit: false }],
  ["v9.9.9", { tag: "missing", namesCommit: undefined }],
])("tag %s", async (tag, expected) => {
  const facts = await tagFacts({ folder: clone, folders }, { tag });
  expect(facts).toEqual({ ...expected, branch: "origin/trunk", isOnBranch: true });
});

it("knows commits that are not on the branch, and branches that are not there", async () => {
  const side = git(origin, "rev-parse", "side");
  const ask = (branch?: string): ReturnType<typeof tagFacts> =>
    tagFacts(
      { folder: clone, folders },
      { tag: "v1.0.0", revision: side, ...(branch === undefined ? {} : { branch }) },
    );
  expect(await ask()).toMatchObject({ namesCommit: false, isOnBranch: false });
  expect(await ask("side")).toMatchObject({ branch: "origin/side", isOnBranch: true });
  expect(await ask("nowhere")).toMatchObject({ branch: undefined, isOnBranch: undefined });
});

it("does not say of a shallow clone what only its missing history knows", async () => {
  const shallow = join(root, "shallow");
  git(root, "clone", "-q", "--depth", "1", "--no-single-branch", `file://${origin}`, shallow);
  const old = git(origin, "rev-parse", "HEAD~1");
  git(shallow, "fetch", "-q", "--depth", "1", "origin", old);
  expect(await tagFacts({ folder: shallow, folders }, { tag: "v1.0.0", revision: old })).toMatchObject({
    branch: "origin/trunk",
    isOnBranch: undefined,
  });
});

it("says nothing of a folder that is no checkout; a remote is that of the checkout", async () => {
  expect(await tagFacts({ folder: root, folders }, { tag: "v1.0.0" })).toBeUndefined();
  expect(await originUrl({ folder: clone, folders })).toBe(origin);
  expect(await originUrl({ folder: origin, folders })).toBeUndefined();
});
