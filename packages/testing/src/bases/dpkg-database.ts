import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { command, script } from "../command.js";

/**
 * Unpacks Debian packages of another architecture into a root and records them as installed, without running their
 * maintainer scripts. The caller adds what those would have created.
 */
export async function unpackPackages(root: string, debs: readonly string[]): Promise<void> {
  const info = join(root, "var/lib/dpkg/info");
  await mkdir(info, { recursive: true });
  await writeFile(join(info, "format"), "1\n");
  const unpack = async (deb: string): Promise<string> => {
    // A package may still ship ./lib: without --keep-directory-symlink (dpkg-deb -x has no such flag), the link
    // /lib -> usr/lib would become a directory.
    await script('dpkg-deb --fsys-tarfile "$1" | tar -xp --keep-directory-symlink -C "$2"', [deb, root]);
    return record(root, info, deb);
  };
  const half = Math.ceil(debs.length / 2);
  const halves = [debs.slice(0, half), debs.slice(half)].map(async (part) => {
    const stanzas: string[] = [];
    for (const deb of part) stanzas.push(await unpack(deb));
    return stanzas;
  });
  const stanzas = (await Promise.all(halves)).flat();
  const status = join(root, "var/lib/dpkg/status");
  const before = await readFile(status, "utf8").catch(() => "");
  await writeFile(status, before + stanzas.join(""));
}

/** Writes one package's files under `info/` as dpkg does. @returns its stanza for the status file */
async function record(root: string, info: string, deb: string): Promise<string> {
  const control = await mkdtemp(join(tmpdir(), "tgo-deb-"));
  try {
    await command("dpkg-deb", ["--control", deb, control]);
    const text = (await readFile(join(control, "control"), "utf8")).trimEnd();
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, "m").exec(text)?.[1] ?? "";
    const name = field("Package");
    const prefix = field("Multi-Arch") === "same" ? `${name}:${field("Architecture")}` : name;
    for (const file of await readdir(control)) {
      if (file !== "control") await copyFile(join(control, file), join(info, `${prefix}.${file}`));
    }
    const listing = await script('dpkg-deb --fsys-tarfile "$1" | tar -t', [deb]);
    const paths = listing
      .trimEnd()
      .split("\n")
      .map((path) => path.replace(/^\./, "").replace(/\/$/, "") || "/.");
    await writeFile(join(info, `${prefix}.list`), `${paths.join("\n")}\n`);
    const conffiles = await readFile(join(control, "conffiles"), "utf8").catch(() => "");
    return `${text.replace(/^(Package: .*)$/m, "$1\nStatus: install ok installed")}\n${await conffileField(root, conffiles)}\n`;
  } finally {
    await rm(control, { recursive: true });
  }
}

async function conffileField(root: string, conffiles: string): Promise<string> {
  const paths = conffiles.split("\n").filter((path) => path.startsWith("/"));
  if (paths.length === 0) return "";
  const lines = paths.map(async (path) => {
    const content = await readFile(join(root, path)).catch(() => Buffer.alloc(0));
    return ` ${path} ${createHash("md5").update(content).digest("hex")}\n`;
  });
  return `Conffiles:\n${(await Promise.all(lines)).join("")}`;
}

/** All paths that installed packages own, on a system whose /bin, /lib and /sbin are merged into /usr. */
export async function ownedPaths(root: string): Promise<ReadonlySet<string>> {
  const info = join(root, "var/lib/dpkg/info");
  const owned = new Set<string>();
  for (const file of await readdir(info)) {
    if (!file.endsWith(".list")) continue;
    const text = await readFile(join(info, file), "utf8");
    for (const path of text.split("\n"))
      owned.add(path.slice(1).replace(/^(bin|sbin|lib|lib64)\//, "usr/$1/"));
  }
  return owned;
}

/** The package name at the beginning of an apt `.deb` file name. */
export function packageOf(deb: string): string {
  return basename(deb).split("_", 1)[0] ?? "";
}
