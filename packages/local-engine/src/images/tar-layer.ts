import { once } from "node:events";
import { lstatSync } from "node:fs";
import { chmod, mkdir, utimes, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pathsBelow } from "../files/walk.js";
import { runHostCommand } from "../host-command.js";
import { startHostProcess } from "../host-process.js";

/**
 * A layer's folder as an OCI layer: https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md
 * The same files make the same bytes: entries are sorted, times are whole seconds, user names are left out. The overlay's
 * whiteouts, 0/0 devices and opaque directories, become the specification's whiteout files.
 * @param marks a new folder for these files
 * @returns a function that streams the tar, each time it is called
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
  for (const opaque of await findOpaque(folder, folders)) whiteouts.push(join(opaque, ".wh..wh..opq"));
  await mkdir(marks);
  for (const path of whiteouts.sort()) {
    const mark = join(marks, path);
    await mkdir(dirname(mark), { recursive: true });
    await writeFile(mark, "");
    await chmod(mark, 0o644);
    // The time of a removal is not part of the content.
    await utimes(mark, 0, 0);
  }
  await writeFile(`${marks}.list`, nulTerminated(whiteouts));
  // Whiteouts come first, as the specification requires.
  const argv = [
    ...["--create", "--file=-", "--no-recursion", "--numeric-owner", "--format=posix", "--null"],
    "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime,delete=mtime",
    ...["--xattrs", "--xattrs-include=security.capability"],
    ...["-C", marks, `--files-from=${marks}.list`, "-C", folder, "--files-from=-"],
  ];
  return () => tar(argv, nulTerminated(paths));
}

async function* tar(argv: readonly string[], input: string): AsyncGenerator<Buffer> {
  const child = startHostProcess(["tar", ...argv], { stdio: "pipe" });
  let message = "";
  child.stderr?.on("data", (chunk: Buffer) => (message += chunk.toString()));
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(input);
  const ended = once(child, "close") as Promise<[number | null]>;
  for await (const chunk of child.stdout ?? []) yield chunk as Buffer;
  const [code] = await ended;
  if (code !== 0)
    throw new Error(`tar failed with ${code === null ? "a signal" : `exit code ${code}`}: ${message.trim()}`);
}

/** The opaque directories. Of the tools found everywhere, only tar can read the overlay's attribute. */
async function findOpaque(folder: string, folders: readonly string[]): Promise<string[]> {
  const attribute = "--xattrs --xattrs-include=trusted.overlay.opaque";
  const create = `tar -C "$1" -c --no-recursion --null -T - --format=posix ${attribute}`;
  const list = "tar -tvv --xattrs --xattrs-include='*' --quoting-style=escape";
  const script = `set -o pipefail; ${create} | ${list}`;
  const options = { input: nulTerminated(folders) };
  const listing = await runHostCommand(["bash", "-c", script, "opaque", folder], options);
  // One line per directory; a star after the mode marks the attribute.
  const entries = listing.split("\n").filter((line) => line.startsWith("d"));
  return folders.filter((_, index) => entries[index]?.[10] === "*");
}

function nulTerminated(names: readonly string[]): string {
  return names.map((name) => `${name}\0`).join("");
}
