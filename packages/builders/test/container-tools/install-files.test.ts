import { lstat, mkdir, mkdtemp, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { installFiles, type InstallFilesInput } from "../../src/container-tools/install-files.js";

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

/** Installs into an image with a merged /usr, an absolute link, and a directory with a file. */
async function install(input: Partial<InstallFilesInput>): Promise<(path: string) => string> {
  const folder = await mkdtemp(join(tmpdir(), "tgo-install-"));
  folders.push(folder);
  const root = join(folder, "root");
  const source = join(folder, "source");
  await mkdir(join(root, "usr/bin"), { recursive: true });
  await mkdir(join(root, "tmp"), { mode: 0o700 });
  await mkdir(join(root, "run"));
  await mkdir(join(root, "app/uploads"), { recursive: true });
  await writeFile(join(root, "app/uploads/kept"), "");
  await symlink("usr/bin", join(root, "bin"));
  await mkdir(join(root, "var"));
  await symlink("/run", join(root, "var/run"));
  await mkdir(source);
  await writeFile(join(source, "start.sh"), "#!/bin/sh\n", { mode: 0o755 });
  const none = { directories: [], links: [], files: [], texts: [] };
  await installFiles({ root, source, seconds: 1_000_000_000, ...none, ...input });
  return (path) => join(root, path);
}

async function attributes(path: string): Promise<string> {
  const { mode, uid, gid, mtimeMs } = await lstat(path);
  return `${(mode & 0o7777).toString(8)} ${uid}:${gid} ${mtimeMs / 1000}`;
}

describe("what is installed into an image", () => {
  it("has the given mode, owner and time; new parent directories belong to root", async () => {
    const at = await install({ directories: [{ path: "/srv/data/rag", owner: "1001", mode: "0750" }] });
    expect(await attributes(at("srv/data/rag"))).toBe("750 1001:1001 1000000000");
    expect(await attributes(at("srv/data"))).toBe("755 0:0 1000000000");
  });

  it("keeps an existing directory's mode and its entries", async () => {
    const at = await install({
      directories: [{ path: "/tmp/cache" }, { path: "/app/uploads", owner: "5:6" }],
    });
    expect(await attributes(at("tmp"))).toBe("700 0:0 1000000000");
    expect(await attributes(at("app/uploads"))).toBe("755 5:6 1000000000");
    expect(await attributes(at("app/uploads/kept"))).toMatch(/^644 0:0/);
  });

  it("resolves links inside the image, and never leaves it", async () => {
    const at = await install({
      directories: [{ path: "/var/run/service" }],
      files: [{ from: "start.sh", to: "/bin/start" }],
      texts: [{ path: "/../../etc/passwd", text: "root\n" }],
    });
    expect(await attributes(at("run/service"))).toMatch(/^755/);
    expect(await attributes(at("usr/bin/start"))).toBe("755 0:0 1000000000");
    expect(await readFile(at("etc/passwd"), "utf8")).toBe("root\n");
  });

  it("is copied into a directory under its own name, and replaces existing files", async () => {
    const at = await install({
      links: [
        { path: "/app/link", target: "old" },
        { path: "/app/link", target: "/bin/start" },
      ],
      files: [
        { from: "start.sh", to: "/app", owner: "7:8", mode: "0640" },
        { from: "start.sh", to: "/new/" },
        { from: "start.sh", to: "/app/uploads/kept" },
      ],
    });
    expect(await readlink(at("app/link"))).toBe("/bin/start");
    expect(await attributes(at("app/start.sh"))).toBe("640 7:8 1000000000");
    expect(await attributes(at("new/start.sh"))).toBe("755 0:0 1000000000");
    expect(await readFile(at("app/uploads/kept"), "utf8")).toBe("#!/bin/sh\n");
  });
});
