import { open, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { inflateSync } from "node:zlib";

/** How much of a packed commit is read; the committer precedes the message. */
const READ = 64 * 1024;

/**
 * Reads the committer time of a commit from a `.git` directory, in seconds since 1970; null if it cannot be determined.
 * Dagger's API has no commit times and the container has no git, so this reads the objects itself. Commits stored as
 * deltas are not supported; a clone of depth 1 has none.
 * @see https://git-scm.com/docs/gitformat-pack
 */
export async function commitTime({ git, commit }: { git: string; commit: string }): Promise<number | null> {
  const text = (await looseObject(git, commit)) ?? (await packedObject(git, commit)) ?? "";
  const seconds = /^committer .* (\d+) [+-]\d{4}$/m.exec(text)?.[1];
  return seconds === undefined ? null : Number(seconds);
}

async function looseObject(git: string, commit: string): Promise<string | undefined> {
  const path = join(git, "objects", commit.slice(0, 2), commit.slice(2));
  const data = await readFile(path).catch(() => undefined);
  return data && inflateSync(data).toString("utf8");
}

async function packedObject(git: string, commit: string): Promise<string | undefined> {
  const folder = join(git, "objects", "pack");
  const files = await readdir(folder).catch(() => []);
  for (const file of files.filter((name) => name.endsWith(".idx"))) {
    const offset = offsetOf(await readFile(join(folder, file)), Buffer.from(commit, "hex"));
    if (offset !== undefined) return commitAt(join(folder, file.replace(/\.idx$/, ".pack")), offset);
  }
  return undefined;
}

/** The offset of an object in the pack of this index (version 2). */
function offsetOf(index: Buffer, name: Buffer): number | undefined {
  const fanout = (byte: number): number => (byte < 0 ? 0 : index.readUInt32BE(8 + 4 * byte));
  const count = fanout(255);
  const names = 8 + 1024;
  const first = name[0] ?? 0;
  for (let at = fanout(first - 1); at < fanout(first); at++) {
    if (index.compare(name, 0, 20, names + 20 * at, names + 20 * at + 20) !== 0) continue;
    const offset = index.readUInt32BE(names + 24 * count + 4 * at);
    if (offset < 0x80000000) return offset;
    return Number(index.readBigUInt64BE(names + 28 * count + 8 * (offset - 0x80000000)));
  }
  return undefined;
}

async function commitAt(pack: string, offset: number): Promise<string | undefined> {
  const file = await open(pack);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(READ), 0, READ, offset);
    let at = 0;
    const COMMIT = 1;
    if ((((buffer[0] ?? 0) >> 4) & 7) !== COMMIT) return undefined;
    while (((buffer[at] ?? 0) & 0x80) !== 0) at += 1;
    return inflateSync(buffer.subarray(at + 1, bytesRead)).toString("utf8");
  } finally {
    await file.close();
  }
}
