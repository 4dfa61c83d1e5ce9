import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, utimes, writeFile, chmod } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { changedPaths, readTree } from "../src/bases/tree.js";

describe("the layer between two roots", () => {
  let dir: string;
  let lower: string;
  let upper: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "tgo-tree-"));
    lower = join(dir, "lower");
    upper = join(dir, "upper");
    await mkdir(join(lower, "etc/deep"), { recursive: true });
    await mkdir(join(lower, "usr/bin"), { recursive: true });
    await writeFile(join(lower, "etc/deep/a"), "a");
    await writeFile(join(lower, "usr/bin/tool"), "tool");
    execFileSync("cp", ["-a", lower, upper]);
  });
  afterEach(async () => {
    await rm(dir, { recursive: true });
  });

  const layer = (): string[] => changedPaths(readTree(lower), readTree(upper));

  it("is empty between equal ones", () => {
    expect(layer()).toEqual([]);
  });

  it("contains a new file and its parent directories, parents first", async () => {
    await writeFile(join(upper, "etc/deep/new"), "");
    expect(layer()).toEqual(["etc", "etc/deep", "etc/deep/new"]);
  });

  it.each<{ what: string; change: (path: string) => Promise<unknown> }>([
    { what: "another time", change: (path) => utimes(path, 1, 1) },
    { what: "another mode", change: (path) => chmod(path, 0o4755) },
    { what: "another size", change: (path) => writeFile(path, "longer") },
    { what: "become a link", change: (path) => rm(path).then(() => symlink("x", path)) },
  ])("holds a file that has $what", async ({ change }) => {
    await change(join(upper, "usr/bin/tool"));
    expect(layer()).toEqual(["usr", "usr/bin", "usr/bin/tool"]);
  });

  it("omits the leftovers of a running system, but keeps the directories and links into /dev", async () => {
    for (const path of ["var/log/nginx", "var/lib/apt/lists", "tmp", "var/lib/dpkg"]) {
      await mkdir(join(upper, path), { recursive: true });
    }
    for (const path of [
      "var/log/dpkg.log",
      "var/lib/apt/lists/x_Packages",
      "tmp/x",
      "etc/resolv.conf",
      "etc/passwd-",
      "var/lib/dpkg/status-old",
    ]) {
      await writeFile(join(upper, path), "");
    }
    await symlink("/dev/stdout", join(upper, "var/log/nginx/access.log"));
    expect(layer()).toEqual([
      "tmp",
      "var",
      "var/lib",
      "var/lib/apt",
      "var/lib/apt/lists",
      "var/lib/dpkg",
      "var/log",
      "var/log/nginx",
      "var/log/nginx/access.log",
    ]);
  });
});
