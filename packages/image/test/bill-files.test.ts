import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { type BillFile, packBillFiles, scanDirectory, unpackBillFiles } from "../src/index.js";

const FILES = {
  "/etc/motd": "no",
  "/usr/lib/os-release": "ID=debian\n",
  "/usr/share/doc/libc6/copyright": "Licence: ä\xff\n",
  "/usr/share/doc/libc6/changelog": "no",
  "/var/lib/dpkg/status": "Package: libc6\n",
  "/var/lib/dpkg/info/libc6.list": "/lib\n",
};

it("are read while a root file system is scanned, and pass from one program to another unchanged", async () => {
  const root = await mkdtemp(join(tmpdir(), "tgo-bill-"));
  try {
    for (const [path, content] of Object.entries(FILES)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), content, "latin1");
    }
    await symlink("libc6", join(root, "/usr/share/doc/libc-bin"));
    await symlink("motd", join(root, "/etc/os-release"));
    const found = new Map<string, BillFile>();
    expect((await scanDirectory(root, "linux/amd64", {}, found)).files).toBe(6);
    const content = (path: keyof typeof FILES): BillFile => ({ content: Buffer.from(FILES[path], "latin1") });
    expect(new Map([...found].sort())).toEqual(
      new Map([
        ["/usr/lib/os-release", content("/usr/lib/os-release")],
        ["/usr/share/doc/libc-bin", { target: "libc6" }],
        ["/usr/share/doc/libc6/copyright", content("/usr/share/doc/libc6/copyright")],
        ["/var/lib/dpkg/status", content("/var/lib/dpkg/status")],
      ]),
    );
    expect(unpackBillFiles(packBillFiles(found))).toEqual(found);
  } finally {
    await rm(root, { recursive: true });
  }
});
