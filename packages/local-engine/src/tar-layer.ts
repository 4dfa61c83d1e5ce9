import { spawn } from "node:child_process";
import { once } from "node:events";
import { lstatSync } from "node:fs";
import { chmod, mkdir, utimes, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { command } from "./command.js";
import { pathsBelow } from "./files.js";

/**
 * A layer's files as an OCI layer: https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md
 * The same files make the same bytes: entries are sorted, times have whole seconds, names of users are left out.
 * The overlay's own marks become the specification's files: a 0/0 device, which hides a name, and an opaque directory.
 * @param marks a new folder, for these
 * @returns reads the tar, as often as it is called
 */
export async function layerTar(folder: string, marks: string): Promise<() => AsyncGenerator<Buffer>> {
  const paths: string[] = [];
  const folders: string[] = [];
  const whiteouts: string[] = [];
  for (const path of pathsBelow(folder)) {
    const info = lstatSync(join(folder, path));
    if (info.isDirectory()) folders.push(path);
    if (info.isCharacterDevice() && info.rdev === 0)
      whiteouts.push(join(dirname(path), `.wh.${basename(path)}`));
    else paths.push(path);
  }
  for (const opaque of await opaqueOf(folder, folders)) whiteouts.push(join(opaque, ".wh..wh..opq"));
  await mkdir(marks);
  for (const path of whiteouts.sort()) {
    const mark = join(marks, path);
    await mkdir(dirname(mark), { recursive: true });
    await writeFile(mark, "");
    await chmod(mark, 0o644);
    // When a file was removed is no part of the content.
    await utimes(mark, 0, 0);
  }
  await writeFile(`${marks}.list`, zeroed(whiteouts));
  // What is hidden comes first, as the specification wants it.
  const argv = [
    ...["--create", "--file=-", "--no-recursion", "--numeric-owner", "--format=posix", "--null"],
    "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime,delete=mtime",
    ...["--xattrs", "--xattrs-include=security.capability"],
    ...["-C", marks, `--files-from=${marks}.list`, "-C", folder, "--files-from=-"],
  ];
  return () => tar(argv, zeroed(paths));
}

async function* tar(argv: readonly string[], input: string): AsyncGenerator<Buffer> {
  const child = spawn("tar", argv, { stdio: "pipe", env: ENVIRONMENT });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const ended = once(child, "close") as Promise<[number | null]>;
  for await (const chunk of child.stdout) yield chunk as Buffer;
  const [code] = await ended;
  if (code !== 0) throw new Error(`tar ended with ${code ?? "a signal"}: ${said.trim()}`);
}

/** Those directories that carry the overlay's mark, which only tar, of the tools that are everywhere, can read. */
async function opaqueOf(folder: string, folders: readonly string[]): Promise<string[]> {
  const attribute = "--xattrs --xattrs-include=trusted.overlay.opaque";
  const create = `tar -C "$1" -c --no-recursion --null -T - --format=posix ${attribute}`;
  const list = "tar -tvv --xattrs --xattrs-include='*' --quoting-style=escape";
  const script = `set -o pipefail; ${create} | ${list}`;
  const options = { input: zeroed(folders), env: ENVIRONMENT };
  const told = await command(["bash", "-c", script, "opaque", folder], options);
  // One line for each directory; a star behind its mode says that it has the attribute.
  const entries = told.split("\n").filter((line) => line.startsWith("d"));
  return folders.filter((_, index) => entries[index]?.[10] === "*");
}

const ENVIRONMENT = { PATH: process.env.PATH, LC_ALL: "C" };

function zeroed(names: readonly string[]): string {
  return names.map((name) => `${name}\0`).join("");
}
