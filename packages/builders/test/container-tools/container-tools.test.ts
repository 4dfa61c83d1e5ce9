import { execFileSync } from "node:child_process";
import {
  chmod,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readlink,
  rm,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { checkRanges } from "../../src/container-tools/check-ranges.js";
import { commitTime } from "../../src/container-tools/commit-time.js";
import { copySource } from "../../src/container-tools/copy-source.js";
import { hashTree } from "../../src/container-tools/hash-tree.js";
import { probe } from "../../src/container-tools/probe.js";

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function tree(change?: (root: string) => Promise<void>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "tgo-tree-"));
  folders.push(root);
  await mkdir(join(root, "app"));
  await writeFile(join(root, "app", "main.py"), "print(1)\n");
  await writeFile(join(root, "run.sh"), "#!/bin/sh\n", { mode: 0o755 });
  await symlink("run.sh", join(root, "link"));
  await change?.(root);
  return root;
}

const hashOf = async (root: string): Promise<string> => (await hashTree({ root })).hash;

describe("the hash of a source tree", () => {
  it("comes with the number and size of the files", async () => {
    expect(await hashTree({ root: await tree() })).toMatchObject({ files: 2, bytes: 19 });
  });

  it("is the same for two checkouts of the same content, whatever their times and group permissions", async () => {
    const other = await tree(async (root) => {
      await utimes(join(root, "app", "main.py"), 1, 1);
      await chmod(join(root, "app", "main.py"), 0o664);
    });
    expect(await hashOf(other)).toBe(await hashOf(await tree()));
  });

  it.each<[string, (root: string) => Promise<void>]>([
    ["a file's content", (root) => writeFile(join(root, "app", "main.py"), "print(2)\n")],
    ["an executable bit", (root) => chmod(join(root, "run.sh"), 0o644)],
    ["a new empty directory", (root) => mkdir(join(root, "empty"))],
    ["a file's name", (root) => writeFile(join(root, "app", "more.py"), "")],
  ])("changes with %s", async (_, change) => {
    expect(await hashOf(await tree(change))).not.toBe(await hashOf(await tree()));
  });
});

describe("the copy of a source", () => {
  /** Everything about the entries that can be in a layer. */
  const entries = async (root: string): Promise<string[]> => {
    const paths = (await readdir(root, { recursive: true })).sort();
    return Promise.all(
      ["", ...paths].map(async (path) => {
        const info = await lstat(join(root, path));
        const links = info.isDirectory() ? "" : `${info.nlink}`;
        return [path, info.mode.toString(8), info.uid, info.gid, links, info.mtimeMs].join(" ");
      }),
    );
  };
  const copyOf = async (root: string): Promise<string[]> => {
    const to = join(await mkdtemp(join(tmpdir(), "tgo-copy-")), "to");
    folders.push(join(to, ".."));
    const { hash } = await copySource({ from: root, to });
    return [hash, ...(await entries(to))];
  };

  it.each<[string, (root: string) => Promise<void>]>([
    ["other times", (root) => utimes(join(root, "app", "main.py"), 1, 1)],
    [
      "a umask of 077",
      async (root) => {
        for (const path of ["", "app", "run.sh"]) await chmod(join(root, path), 0o700);
        await chmod(join(root, "app", "main.py"), 0o600);
      },
    ],
    [
      "a umask of 000",
      async (root) => {
        for (const path of ["", "app", "run.sh"]) await chmod(join(root, path), 0o777);
        await chmod(join(root, "app", "main.py"), 0o666);
      },
    ],
    ["other executable bits of others", (root) => chmod(join(root, "app", "main.py"), 0o655)],
    [
      "set-user-id, set-group-id and sticky bits",
      async (root) => {
        await chmod(join(root, "run.sh"), 0o6755);
        await chmod(join(root, "app"), 0o3777);
      },
    ],
    [
      "hard links outside",
      async (root) => {
        folders.push(`${root}.link`);
        await link(join(root, "run.sh"), `${root}.link`);
      },
    ],
    ["a pipe", (root) => Promise.resolve(void execFileSync("mkfifo", [join(root, "app", "pipe")]))],
  ])("is the same from a checkout with %s", async (_, change) => {
    const copied = await copyOf(await tree(change));
    expect(copied).toEqual(await copyOf(await tree()));
    expect(copied.join("\n")).toMatch(/^run\.sh 100755 /m);
    expect(copied.join("\n")).toMatch(/^app\/main\.py 100644 /m);
    expect(copied.join("\n")).toMatch(/^ 40755 /m);
  });

  it("gives a file the time of its own content: an edit of another file does not change it", async () => {
    const timeOf = (lines: readonly string[], path: string): string | undefined =>
      lines
        .find((line) => line.startsWith(`${path} `))
        ?.split(" ")
        .at(-1);
    const before = await copyOf(await tree());
    const after = await copyOf(
      await tree((root) => writeFile(join(root, "app", "main.py"), "print('edited')\n")),
    );
    expect(timeOf(after, "run.sh")).toBe(timeOf(before, "run.sh"));
    expect(timeOf(after, "app")).toBe(timeOf(before, "app"));
    expect(timeOf(after, "app/main.py")).not.toBe(timeOf(before, "app/main.py"));
  });

  it("keeps links as they are", async () => {
    const root = await tree((folder) => symlink("/nowhere/../else", join(folder, "out")));
    const to = `${root}.copy`;
    folders.push(to);
    await copySource({ from: root, to });
    expect(await readlink(join(to, "link"))).toBe("run.sh");
    expect(await readlink(join(to, "out"))).toBe("/nowhere/../else");
  });
});

describe("the time of a commit", () => {
  const git = (folder: string, ...args: string[]): string =>
    execFileSync("git", ["-C", folder, "-c", "user.name=A <b> 1 +0000", "-c", "user.email=a@b", ...args], {
      encoding: "utf8",
      env: { ...process.env, GIT_COMMITTER_DATE: "1700000000 +0800", GIT_AUTHOR_DATE: "1600000000 +0000" },
    }).trim();

  it("is the committer's, from loose and packed objects; null for an unknown commit", async () => {
    const root = await tree();
    git(root, "init", "-q");
    git(root, "add", ".");
    git(root, "commit", "-q", "-m", "one\n\ncommitter X <x> 1 +0000");
    const commit = git(root, "rev-parse", "HEAD");
    const folder = join(root, ".git");
    expect(await commitTime({ git: folder, commit })).toBe(1_700_000_000);
    git(root, "gc", "-q");
    expect(await readdir(join(folder, "objects"))).not.toContain(commit.slice(0, 2));
    expect(await commitTime({ git: folder, commit })).toBe(1_700_000_000);
    expect(await commitTime({ git: folder, commit: "0".repeat(40) })).toBeNull();
  });
});

describe("probe", () => {
  it("waits for a server that is not ready yet, and reports the status", async () => {
    let count = 0;
    const server = createServer((_, response) => {
      count += 1;
      response.writeHead(count < 3 ? 503 : 200).end();
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/health`;
    expect(await probe({ requests: [{ url, status: 200 }], timeoutSeconds: 10 })).toEqual({
      ok: true,
      responses: [{ url, status: 200 }],
    });
    server.close();
  });

  it.each<[string, Record<string, string>, object]>([
    ["a page without Cache-Control", { "content-type": "text/html; charset=utf-8" }, { uncontrolled: true }],
    ["a page with it", { "content-type": "text/html", "cache-control": "no-cache" }, {}],
    ["no page", { "content-type": "application/json" }, {}],
  ])("tells %s", async (_, headers, told) => {
    const server = createServer((__, response) => {
      response.writeHead(200, headers).end();
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const { responses } = await probe({ requests: [{ url, status: 200 }], timeoutSeconds: 10 });
    expect(responses).toEqual([{ url, status: 200, ...told }]);
    server.close();
  });

  it("reports the error if there is no response in time", async () => {
    const url = "http://127.0.0.1:9/";
    const report = await probe({ requests: [{ url, status: 200 }], timeoutSeconds: 0.3 });
    expect(report.ok).toBe(false);
    expect(report.responses[0]?.error).toBeTruthy();
  });
});

describe("npm's ranges", () => {
  it.each([
    ["20.20.2", "^20.19.0 || >=22.12.0", { allowed: true, lowestMajor: 20 }],
    ["20.20.2", ">=22.12.0", { allowed: false, lowestMajor: 22 }],
    ["1.0.0-rc.1", ">=1.0.0", { allowed: false, lowestMajor: 1 }],
    ["1.0.0", "latest", { allowed: true }],
    ["github:a/b", "^1.0.0", { allowed: true, lowestMajor: 1 }],
  ])("%s in %s", async (version, range, expected) => {
    expect(await checkRanges([{ version, range }])).toEqual([expected]);
  });
});
