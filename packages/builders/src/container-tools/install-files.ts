import {
  chmod,
  copyFile,
  lchown,
  lstat,
  lutimes,
  mkdir,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join, posix } from "node:path";
import type { Image } from "@tgo/catalog";

/** What to install into the file system of an image. Paths are absolute in the image, and never leave the root. */
export interface InstallFilesInput {
  readonly root: string;
  /** The directory that files are copied from. */
  readonly source: string;
  /** Time of new and changed entries, in seconds since 1970. */
  readonly seconds: number;
  readonly directories: Image["directories"];
  readonly links: Image["links"];
  readonly files: Image["files"];
  readonly texts: readonly { readonly path: string; readonly text: string }[];
}

/**
 * Installs directories, links and files into a file system. An existing directory keeps its mode and owner unless others
 * are given, and its entries always keep theirs.
 */
export async function installFiles({ root, source, seconds, ...input }: InstallFilesInput): Promise<null> {
  const changed = new Set<string>();
  const prepare = async (path: string): Promise<string> => {
    const folder = await makeDirectories(root, dirname(path), changed);
    const target = join(folder, basename(path));
    changed.add(folder).add(target);
    return target;
  };
  for (const { path, ...attributes } of input.directories) {
    const target = await makeDirectories(root, path, changed);
    changed.add(target);
    await setAttributes(target, attributes);
  }
  for (const { path, target } of input.links) {
    const link = await prepare(path);
    await rm(link, { force: true });
    await symlink(target, link);
  }
  for (const { from, to, mode, owner } of input.files) {
    const original = join(source, from);
    const isFolder = to.endsWith("/") || (await isDirectory(await resolveIn(root, to)));
    const target = await prepare(isFolder ? posix.join(to, basename(from)) : to);
    await rm(target, { force: true });
    await copyFile(original, target);
    const own = ((await stat(original)).mode & 0o777).toString(8);
    await setAttributes(target, { mode: mode ?? own, owner: owner ?? "0:0" });
  }
  for (const { path, text } of input.texts) {
    const target = await prepare(path);
    await writeFile(target, text);
  }
  // Times are set last, because new entries change their directory's time.
  for (const path of changed) await lutimes(path, seconds, seconds);
  return null;
}

type Attributes = Pick<Image["files"][number], "mode" | "owner">;

/** Sets an octal mode, and an owner given as uid or uid:gid; the gid defaults to the uid. */
async function setAttributes(path: string, { mode, owner }: Attributes): Promise<void> {
  if (owner !== undefined) {
    const [uid = "0", gid = uid] = owner.split(":");
    await lchown(path, Number(uid), Number(gid));
  }
  if (mode !== undefined) await chmod(path, Number.parseInt(mode, 8));
}

/** Creates a directory and its missing parents, owned by root with mode 0755, and records what it changed. */
async function makeDirectories(root: string, path: string, changed: Set<string>): Promise<string> {
  const target = await resolveIn(root, path);
  let at = root;
  for (const part of target.slice(root.length).split("/").filter(Boolean)) {
    const parent = at;
    at = join(at, part);
    if (await isDirectory(at)) continue;
    await mkdir(at);
    await chmod(at, 0o755);
    changed.add(parent).add(at);
  }
  return target;
}

async function isDirectory(path: string): Promise<boolean> {
  const info = await lstat(path).catch(() => undefined);
  return info?.isDirectory() ?? false;
}

const MAX_LINKS = 40;

/** Resolves a path of the image, following links as they would be inside the image. */
async function resolveIn(root: string, path: string): Promise<string> {
  let rest = path.split("/");
  let at = "/";
  for (let links = 0; rest.length > 0;) {
    const [part = "", ...others] = rest;
    rest = others;
    const next = posix.join(at, part);
    const target = await readlink(join(root, next)).catch(() => undefined);
    if (target === undefined) {
      at = next;
      continue;
    }
    if (++links > MAX_LINKS) throw new Error(`${path} in the image has too many symbolic links`);
    if (target.startsWith("/")) at = "/";
    rest = [...target.split("/"), ...rest];
  }
  return join(root, at).replace(/\/$/, "");
}
