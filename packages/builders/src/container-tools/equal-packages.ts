import { closeSync, lstatSync, openSync, readdirSync, readFileSync, readSync, type Stats } from "node:fs";
import { join } from "node:path";

export interface EqualPackagesInput {
  /** Root file systems of two variants. */
  readonly roots: readonly [string, string];
  /** A virtual environment, by its path in both. */
  readonly environment: string;
}

/** What Python runs before any import. */
const STARTUP = /\.(?:pth|egg-link)$|^(?:site|user)customize\b/;

/**
 * The Python packages of which two variants have the same files, byte for byte, bytecode included; none if the environments
 * are set up differently. A symbolic link counts as different: it may lead to anything.
 * @returns names as importlib.metadata has them, normalized (PyPA specifications, name normalization)
 */
export function equalPackages({ roots, environment }: EqualPackagesInput): Promise<string[]> {
  const folders = roots.map((root) => join(root, environment));
  const sites = folders.map(siteOf);
  const [site, other] = sites.map((path, at) =>
    path === undefined ? undefined : join(folders[at] ?? "", path),
  );
  if (site === undefined || other === undefined || sites[0] !== sites[1]) return Promise.resolve([]);
  const [config, otherConfig] = folders.map((folder) => join(folder, "pyvenv.cfg"));
  if (!areEqual(config ?? "", otherConfig ?? "")) return Promise.resolve([]);
  const names = new Set([...readdirSync(site), ...readdirSync(other)]);
  const known = new Map<string, boolean>();
  const isSame = (name: string): boolean => {
    const same = known.get(name) ?? areEqual(join(site, name), join(other, name));
    known.set(name, same);
    return same;
  };
  if ([...names].some((name) => STARTUP.test(name) && !isSame(name))) return Promise.resolve([]);
  return Promise.resolve(
    readdirSync(site).flatMap((info) => {
      const parts = info.endsWith(".dist-info") && isSame(info) ? entriesOf(join(site, info)) : undefined;
      return parts?.entries.every(isSame) === true ? [parts.name] : [];
    }),
  );
}

/** Path of the only site-packages in an environment. */
function siteOf(folder: string): string | undefined {
  if (!isFolder(join(folder, "lib"))) return undefined;
  const [python, ...others] = readdirSync(join(folder, "lib")).filter((name) => name.startsWith("python"));
  const path = join("lib", python ?? "", "site-packages");
  const isReal =
    python !== undefined && isFolder(join(folder, "lib", python)) && isFolder(join(folder, path));
  return isReal && others.length === 0 ? path : undefined;
}

interface Entries {
  readonly name: string;
  /** Outermost files and folders in site-packages. */
  readonly entries: readonly string[];
}

/** What a package has in site-packages; undefined if its metadata does not tell. */
function entriesOf(info: string): Entries | undefined {
  const [metadata, record] = ["METADATA", "RECORD"].map((file) => {
    const path = join(info, file);
    return statOf(path)?.isFile() === true ? readFileSync(path, "utf8") : "";
  });
  const name = /^Name:\s*(\S+)/m.exec(metadata ?? "")?.[1];
  // A quoted path is one with a comma.
  const entries = (record ?? "").split("\n").flatMap((line) => /^"?([^/,\r\n"]+)/.exec(line)?.[1] ?? []);
  if (name === undefined || entries.length === 0) return undefined;
  // A module of one file has its bytecode beside it.
  const inside = entries.filter((entry) => entry !== "..");
  return {
    name: name.replaceAll(/[-_.]+/g, "-").toLowerCase(),
    entries: [
      ...new Set([...inside, ...(inside.some((entry) => entry.endsWith(".py")) ? ["__pycache__"] : [])]),
    ],
  };
}

function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function isFolder(path: string): boolean {
  return statOf(path)?.isDirectory() === true;
}

/** Whether two paths have the same files, or both nothing. */
function areEqual(one: string, other: string): boolean {
  const [a, b] = [statOf(one), statOf(other)];
  if (a === undefined || b === undefined) return a === b;
  if (a.isDirectory() && b.isDirectory()) {
    const [names, others] = [readdirSync(one).sort(), readdirSync(other).sort()];
    return (
      names.length === others.length &&
      names.every((name, at) => name === others[at] && areEqual(join(one, name), join(other, name)))
    );
  }
  return a.isFile() && b.isFile() && a.size === b.size && haveSameBytes(one, other);
}

const buffers = [Buffer.alloc(1 << 18), Buffer.alloc(1 << 18)] as const;

function haveSameBytes(one: string, other: string): boolean {
  const files = [openSync(one, "r"), openSync(other, "r")] as const;
  try {
    for (;;) {
      const [a, b] = [readFull(files[0], buffers[0]), readFull(files[1], buffers[1])];
      if (a !== b || !buffers[0].subarray(0, a).equals(buffers[1].subarray(0, b))) return false;
      if (a === 0) return true;
    }
  } finally {
    files.forEach(closeSync);
  }
}

/** Fills a buffer as far as the file goes: a read may return less. */
function readFull(file: number, buffer: Buffer): number {
  let length = 0;
  while (length < buffer.length) {
    const count = readSync(file, buffer, length, buffer.length - length, null);
    if (count === 0) break;
    length += count;
  }
  return length;
}
