import { execFile } from "node:child_process";
import { closeSync, openSync, readSync, readdirSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  htmlServer,
  installRequirements,
  pushBases,
  startBaseMirror,
  startRegistry,
  type LocalRegistry,
} from "../src/index.js";

import { readTree } from "../src/bases/tree.js";

const run = promisify(execFile);
const log = (line: string): void => {
  console.log(line);
};

let mirror: LocalRegistry;
/** A store of its own: the mirror's port differs in each run, and its images would pile up in the machine's store. */
let store: string;

beforeAll(async () => {
  await installRequirements({ log });
  mirror = await startBaseMirror({ log });
  store = await mkdtemp(join(tmpdir(), "tgo-bases-test-"));
});

afterAll(async () => {
  await buildah("rm", "--all");
  await mirror.stop();
  await run("rm", ["-rf", store]);
});

function buildah(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return run("buildah", ["--root", join(store, "root"), "--runroot", join(store, "run"), ...args]);
}

async function from(image: string, architecture: string): Promise<string> {
  const { stdout } = await buildah(
    ...["from", "--quiet", "--tls-verify=false", "--platform", `linux/${architecture}`],
    `docker://${mirror.host}/library/${image}`,
  );
  return stdout.trim();
}

async function inside(container: string, ...command: string[]): Promise<string> {
  const { stdout, stderr } = await buildah("run", "--isolation", "chroot", container, "--", ...command);
  return stdout + stderr;
}

interface Index {
  readonly manifests: readonly { readonly digest: string; readonly platform: Record<string, string> }[];
}

async function manifest(reference: string): Promise<unknown> {
  const accept = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json";
  const answer = await fetch(`${mirror.url}/v2/library/${reference}`, { headers: { accept } });
  return answer.json();
}

describe("a stand-in base", () => {
  it.each(["python/manifests/3.11-slim", "node/manifests/20-alpine", "nginx/manifests/alpine"])(
    "%s is an index of exactly the two platforms",
    async (path) => {
      const { manifests } = (await manifest(path)) as Index;
      expect(manifests.map(({ platform }) => platform)).toEqual([
        { os: "linux", architecture: "amd64" },
        { os: "linux", architecture: "arm64", variant: "v8" },
      ]);
    },
  );

  it("shares its first layer with the other bases of its platform", async () => {
    const first = async (repository: string, tag: string): Promise<(string | undefined)[]> => {
      const { manifests } = (await manifest(`${repository}/manifests/${tag}`)) as Index;
      const children = manifests.map(({ digest }) => manifest(`${repository}/manifests/${digest}`));
      return (await Promise.all(children)).map(
        (child) => (child as { layers: { digest: string }[] }).layers[0]?.digest,
      );
    };
    const python = await first("python", "3.11-slim");
    expect(new Set(python).size).toBe(2);
    expect(await first("node", "20-alpine")).toEqual(python);
    expect(await first("nginx", "alpine")).toEqual(python);
  });

  it("cannot be changed through its mirror", async () => {
    const upload = await fetch(`${mirror.url}/v2/library/python/blobs/uploads/`, { method: "POST" });
    expect(upload.status).toBe(405);
  });

  it("is pushed to another registry unchanged", async () => {
    const registry = await startRegistry({ auth: "basic" });
    try {
      await pushBases(registry);
      const login = Buffer.from(`${registry.username ?? ""}:${registry.password ?? ""}`).toString("base64");
      const pushed = await fetch(`${registry.url}/v2/library/nginx/manifests/alpine`, {
        headers: { accept: "application/vnd.oci.image.index.v1+json", authorization: `Basic ${login}` },
      });
      expect(await pushed.json()).toEqual(await manifest("nginx/manifests/alpine"));
    } finally {
      await registry.stop();
    }
  });
});

/** What only one machine's Debian has: the dynamic linker, a vector library, setarch's names, Python's build data. */
const MACHINE_SPECIFIC = /lib64|\/ld-linux|^usr\/bin\/(ld\.so|i386|x86_64)$|\/libmvec|_sysconfigdata/;

describe("the stand-in completed without running maintainer scripts", () => {
  it.each(["python:3.11-slim", "node:20-alpine", "nginx:alpine"])(
    "holds the files, owners, modes and links of the one that was installed here: %s",
    async (image) => {
      const listing = async (architecture: string): Promise<string[]> => {
        const container = await from(image, architecture);
        const tree = readTree((await buildah("mount", container)).stdout.trim());
        await buildah("umount", container);
        return [...tree]
          .filter(([path]) => !MACHINE_SPECIFIC.test(path))
          .map(([path, { kind, mode, uid, gid, target }]) =>
            `${path} ${kind} ${mode.toString(8)} ${uid}:${gid} ${target}`
              .replaceAll("x86_64-linux-gnu", "aarch64-linux-gnu")
              .replaceAll(":amd64", ":arm64"),
          )
          .sort();
      };
      const amd64 = await listing("amd64");
      expect(amd64.length).toBeGreaterThan(1000);
      expect(await listing("arm64")).toEqual(amd64);
    },
  );
});

describe.each([
  { architecture: "amd64", machine: "x86_64", elf: 62 },
  { architecture: "arm64", machine: "aarch64", elf: 183 },
])("the stand-ins for linux/$architecture", ({ architecture, machine, elf }) => {
  it("run Python with its compiled modules, certificates, pip and venv", async () => {
    const container = await from("python:3.11-slim", architecture);
    const program = `
import ctypes.util, platform, sqlite3, ssl, sys
print(platform.machine(), sys.executable, ctypes.util.find_library("ssl"), len(ssl.create_default_context().get_ca_certs()) > 100)`;
    expect(await inside(container, "python", "-c", program)).toBe(
      `${machine} /usr/local/bin/python libssl.so.3 True\n`,
    );
    expect(await inside(container, "pip", "--version")).toMatch(/^pip .*\(python 3\.11\)/);
    await inside(container, "python3.11", "-m", "venv", "--without-pip", "/tmp/venv");
    expect(await inside(container, "readlink", "-f", "/tmp/venv/bin/python")).toBe("/usr/bin/python3.11\n");
    expect(await inside(container, "sh", "-c", "ls /usr/lib/python3.11/EXTERNALLY-MANAGED || true")).toMatch(
      /No such/,
    );
  });

  it("have a package database that apt and dpkg accept", async () => {
    const container = await from("python:3.11-slim", architecture);
    expect(await inside(container, "dpkg", "--audit")).toBe("");
    expect(await inside(container, "dpkg", "--print-architecture")).toBe(`${architecture}\n`);
    expect(await inside(container, "dpkg-query", "-W", "-f", "${Status} ${Architecture}\n", "libc6")).toBe(
      `install ok installed ${architecture}\n`,
    );
    expect(await inside(container, "dpkg", "-S", "/usr/bin/python3.11")).toMatch(/^python3\.11-minimal:/);
    await inside(container, "apt-get", "check", "-qq");
    await inside(container, "apt-get", "update", "-qq");
    const planned = await inside(container, "apt-get", "install", "-s", "--no-install-recommends", "libpq5");
    const installed = planned.match(/^Inst \S+/gm) ?? [];
    expect(installed).toContain("Inst libpq5");
    expect(installed.length).toBeLessThan(10);
  });

  it("run Node.js, npm, npx and yarn", async () => {
    const container = await from("node:20-alpine", architecture);
    expect(await inside(container, "node", "-p", "process.arch + process.version")).toMatch(
      new RegExp(`^${architecture === "amd64" ? "x64" : "arm64"}v20\\.`),
    );
    expect(await inside(container, "npm", "--version")).toMatch(/^10\./);
    expect(await inside(container, "npx", "--version")).toMatch(/^10\./);
    expect(await inside(container, "yarn", "--version")).toBe("1.22.22\n");
  });

  it("serve a page with nginx, as user nginx", async () => {
    const container = await from("nginx:alpine", architecture);
    expect(await inside(container, "nginx", "-t")).toMatch(/test is successful/);
    expect(await inside(container, "id", "nginx")).toMatch(/^uid=101\(nginx\)/);
    // A chroot shares the machine's network, where port 80 may be taken.
    const free = await htmlServer();
    await free.stop();
    const serve = `
      sed -i 's/listen  *80;/listen 127.0.0.1:${free.port};/' /etc/nginx/conf.d/default.conf
      /docker-entrypoint.sh nginx -g "daemon off;" &
      for i in 1 2 3 4 5 6 7 8 9; do curl -fsS 127.0.0.1:${free.port} && break; sleep 0.3; done
      kill $!`;
    expect(await inside(container, "sh", "-c", serve)).toContain("Welcome to nginx!");
  });

  it("contain no program or library of another machine", async () => {
    for (const image of ["python:3.11-slim", "node:20-alpine", "nginx:alpine"]) {
      const container = await from(image, architecture);
      const root = (await buildah("mount", container)).stdout.trim();
      const machines = elfMachines(root);
      await buildah("umount", container);
      expect(machines.size).toBeGreaterThan(0);
      expect([...machines].filter(([, found]) => found !== elf)).toEqual([]);
    }
  });
});

/** The ELF header's machine field (at byte 18, little-endian) of every ELF file below a root. */
function elfMachines(root: string): Map<string, number> {
  const machines = new Map<string, number>();
  const head = Buffer.alloc(20);
  for (const entry of readdirSync(root, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const file = openSync(path, "r");
    const read = readSync(file, head, 0, 20, 0);
    closeSync(file);
    if (read === 20 && head.subarray(0, 4).toString("latin1") === "\x7fELF")
      machines.set(path, head.readUInt16LE(18));
  }
  return machines;
}
