import { TgoError } from "@tgo/errors";
import type { ObjectReader } from "./object-reader.js";
import type { ObjectFormat } from "./repository.js";

export interface Commit {
  /** Hexadecimal, 40 or 64 digits. */
  readonly revision: string;
  /** The committer's time, RFC 3339; absent if the commit has none that a calendar knows. */
  readonly created?: string;
  /** Id of its tree. */
  readonly tree: string;
}

/** @param name an id of a commit or of a tag of one @returns undefined if the repository does not have it */
export async function readCommit(reader: ObjectReader, name: string): Promise<Commit | undefined> {
  const object = await reader.read(`${name}^{commit}`);
  if (object?.content === undefined) return undefined;
  // Headers end at the first empty line.
  const [headers = ""] = object.content.toString("latin1").split("\n\n", 1);
  const [, tree] = /^tree ([0-9a-f]+)$/m.exec(headers) ?? [];
  if (tree === undefined) return undefined;
  const [, seconds, sign, hours, minutes] =
    /^committer .*> (\d{1,12}) ([+-])(\d\d)(\d\d)$/m.exec(headers) ?? [];
  const offset = (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  const created = seconds === undefined ? undefined : rfc3339(Number(seconds), offset);
  return { revision: object.id, tree, ...(created === undefined ? {} : { created }) };
}

/** @param offset minutes east of UTC */
function rfc3339(seconds: number, offset: number): string | undefined {
  const local = new Date((seconds + offset * 60) * 1000);
  if (Number.isNaN(local.getTime()) || local.getUTCFullYear() > 9999) return undefined;
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`;
  return `${local.toISOString().slice(0, 19)}${zone}`;
}

export type EntryKind = "file" | "program" | "link" | "directory" | "submodule";

export interface TreeEntry {
  readonly name: string;
  readonly kind: EntryKind;
  readonly id: string;
  /** False if its name is not UTF-8, and `name` only shows it. */
  readonly isReadable: boolean;
}

const KINDS: Readonly<Record<string, EntryKind>> = {
  "100644": "file",
  // Written by early versions of git; group-writable.
  "100664": "file",
  "100755": "program",
  "120000": "link",
  "40000": "directory",
  "160000": "submodule",
};

/**
 * The entries of a tree.
 * @throws TgoError SOURCE for names or types that git itself refuses to check out
 */
export async function readTree(reader: ObjectReader, id: string, format: ObjectFormat): Promise<TreeEntry[]> {
  const object = await reader.read(id);
  if (object?.type !== "tree" || object.content === undefined)
    throw new TgoError("SOURCE", `the commit is incomplete: folder ${id} is missing`, {
      remedy: "Fetch it whole: git fetch --refetch, or clone the repository again without --filter.",
    });
  const { content } = object;
  const idLength = format === "sha1" ? 20 : 32;
  const entries = new Map<string, TreeEntry>();
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(" ", at);
    const end = content.indexOf(0, space);
    if (space < 0 || end < 0 || end + idLength >= content.length + 1) throw malformed(object.id);
    const bytes = content.subarray(space + 1, end);
    const key = bytes.toString("latin1");
    const name = bytes.toString("utf8");
    const kind = KINDS[content.toString("latin1", at, space)];
    if (kind === undefined || !isSafe(name) || entries.has(key)) throw malformed(name);
    at = end + 1 + idLength;
    const id = content.toString("hex", end + 1, at);
    entries.set(key, { name, kind, id, isReadable: bytes.equals(Buffer.from(name)) });
  }
  return [...entries.values()];
}

function isSafe(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !name.includes("/") && name.toLowerCase() !== ".git";
}

function malformed(name: string): TgoError {
  return new TgoError(
    "SOURCE",
    `the commit has an entry that git does not check out: ${JSON.stringify(name)}`,
    {
      remedy: "git fsck lists what is wrong.",
    },
  );
}
