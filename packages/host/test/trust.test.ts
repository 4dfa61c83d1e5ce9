import { chmod, chown, mkdir, mkdtemp, lchown, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { trustProblem } from "../src/index.js";

const SOMEBODY = 4711;
let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-trust-"));
  file = join(folder, "file");
  await writeFile(file, "");
  await chmod(file, 0o644);
});
afterEach(() => rm(folder, { recursive: true }));

const problem = async (path = file): Promise<string | undefined> =>
  (await trustProblem(path, await stat(path)))?.reason;
// Only root can give files away.
const asRoot = it.skipIf(process.geteuid?.() !== 0);

it("trusts the caller's own file", async () => {
  expect(await problem()).toBeUndefined();
});

it.each([0o664, 0o646, 0o666])("does not trust a file that others can write: %o", async (mode) => {
  await chmod(file, mode);
  expect(await problem()).toBe(`others can write ${file}`);
  expect((await trustProblem(file, await stat(file)))?.remedy).toContain(`chmod go-w ${file}`);
});

it("does not trust a file that others can replace, unless the folder is sticky", async () => {
  await chmod(folder, 0o777);
  expect(await problem()).toBe(`others can write ${folder}`);
  await chmod(folder, 0o1777);
  expect(await problem()).toBeUndefined();
});

asRoot("does not trust a file, a folder or a link of somebody else", async () => {
  const link = join(folder, "link");
  await symlink("file", link);
  await lchown(link, SOMEBODY, SOMEBODY);
  expect(await problem(link)).toMatch(`${link} belongs to user ${SOMEBODY}`);
  await chown(file, SOMEBODY, SOMEBODY);
  expect(await problem()).toMatch(`${file} belongs to user ${SOMEBODY}`);
  await chown(file, 0, 0);
  await chown(folder, SOMEBODY, SOMEBODY);
  expect(await problem()).toMatch(`${folder} belongs to user ${SOMEBODY}`);
});

it("looks at the folder that a link leads to as well", async () => {
  const open = join(folder, "open");
  await mkdir(open);
  await writeFile(join(open, "target"), "", { mode: 0o644 });
  await chmod(open, 0o777);
  const link = join(folder, "link");
  await symlink("open/target", link);
  expect(await problem(link)).toBe(`others can write ${open}`);
});

asRoot("trusts whoever called sudo", async () => {
  await chown(file, SOMEBODY, SOMEBODY);
  process.env.SUDO_UID = String(SOMEBODY);
  try {
    expect(await problem()).toBeUndefined();
  } finally {
    delete process.env.SUDO_UID;
  }
});
