import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { findUser } from "../src/files/users.js";

const LINE = "odd:x:7:8::/home/odd:/bin/sh\n";
let root: string;
let passwd: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "tgo-users-"));
  passwd = join(root, "etc/passwd");
  await mkdir(join(root, "etc"));
});
afterEach(() => rm(root, { recursive: true }));

it("finds a user in the image's own file", async () => {
  await writeFile(passwd, LINE);
  expect(findUser(root, "odd")).toMatchObject({ uid: 7, gid: 8, home: "/home/odd" });
});

it("does not wait for a pipe that an image has in its place", async () => {
  execFileSync("mkfifo", [passwd]);
  // Has a line to read at once, and ends a second later.
  const writer = spawn("sh", ["-c", `exec 3<> ${passwd}; printf '${LINE.trim()}\\n' >&3; echo; sleep 1`]);
  await once(writer.stdout, "data");
  expect(() => findUser(root, "odd")).toThrow("the image has no user odd");
  writer.kill();
});

it("does not read a file without end", async () => {
  await writeFile(passwd, LINE);
  await truncate(passwd, 64 << 20);
  expect(() => findUser(root, "odd")).toThrow("the image has no user odd");
});
