import { isUtf8 } from "node:buffer";
import { ByteReader } from "./byte-reader.js";

/** One entry of a tar archive. */
export interface TarEntry {
  readonly type: "file" | "hard link" | "symbolic link" | "directory" | "device";
  /** As in the archive; escaped where it is not UTF-8, so that different names stay different. */
  readonly path: string;
  /** The target of a link, as in the archive. */
  readonly target: string;
  /** The first bytes of a file's content. */
  readonly head: Buffer;
}

const BLOCK = 512;
/** The largest long name or pax header: the limit of Go's archive/tar, which container engines read layers with. */
const MAX_METADATA = 1024 * 1024;

const TYPES: Readonly<Record<string, TarEntry["type"]>> = {
  "\0": "file",
  "0": "file",
  "7": "file",
  "1": "hard link",
  "2": "symbolic link",
  "3": "device",
  "4": "device",
  "6": "device",
  "5": "directory",
  // A directory of GNU tar's incremental backups; its content is a list of names.
  D: "directory",
};
/**
 * Reads a tar archive: V7, ustar, GNU long names, pax. Names, sizes and types are those that Docker and containerd
 * see (Go's archive/tar); an archive that other readers would unpack differently is refused. Memory is bounded by the
 * longest name. The stream is read to its end, past the end of the archive.
 * @param headSize how many bytes of each file's content to return
 * @throws Error for anything that is not a complete archive
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html and https://www.gnu.org/software/tar/manual/html_node/Standard.html
 */
export async function* readTar(
  stream: AsyncIterable<Uint8Array>,
  headSize: number,
): AsyncGenerator<TarEntry, void, undefined> {
  const bytes = new ByteReader(stream);
  let pax: ReadonlyMap<string, string> = new Map();
  let longName: string | undefined;
  let longTarget: string | undefined;
  for (;;) {
    const block = await bytes.readBlock(BLOCK);
    if (block === undefined) break;
    if (isZero(block)) {
      const second = await bytes.readBlock(BLOCK);
      if (second !== undefined && !isZero(second)) throw new Error("a lone zero block inside the archive");
      await bytes.skipAll();
      break;
    }
    verifyChecksum(block);
    const flag = String.fromCharCode(block[156] ?? 0);
    const size = numberAt(block, 124, 12);
    if (flag === "L" || flag === "K") {
      const name = text(await readMetadata(bytes, size));
      if (flag === "L") longName = name;
      else longTarget = name;
      continue;
    }
    if (flag === "x" || flag === "g") {
      const records = parsePax(await readMetadata(bytes, size));
      // Docker and containerd ignore global records, GNU tar and Python apply them.
      if (flag === "g" && ["path", "linkpath", "size"].some((key) => records.has(key)))
        throw new Error("a global pax header that sets names or sizes");
      if (flag === "x") pax = records;
      continue;
    }
    const path = longName ?? (pax.get("path") || nameOf(block));
    const type = flag === "\0" && path.endsWith("/") ? "directory" : TYPES[flag];
    if (type === undefined) throw new Error(`an entry of the unsupported type "${flag}": ${path}`);
    // Other types have no content, whatever size their header gives.
    const content = type === "file" || flag === "D" ? (paxSize(pax) ?? size) : 0;
    const head = await bytes.read(type === "file" ? Math.min(content, headSize) : 0);
    await bytes.skip(content - head.length + padding(content));
    yield { type, path, target: longTarget ?? (pax.get("linkpath") || text(block.subarray(157, 257))), head };
    pax = new Map();
    longName = longTarget = undefined;
  }
  if (longName !== undefined || longTarget !== undefined || pax.size > 0)
    throw new Error("the archive ends after an extended header");
}

/** The content of an entry that describes the next one. */
async function readMetadata(bytes: ByteReader, size: number): Promise<Buffer> {
  if (size > MAX_METADATA) throw new Error(`an extended header of ${size} bytes`);
  const content = await bytes.read(size);
  await bytes.skip(padding(size));
  return content;
}

/** The name field, after the prefix of ustar (155 bytes) or of Schily's star (131); V7 and GNU have none. */
function nameOf(block: Buffer): string {
  const isUstar = block.toString("latin1", 257, 263) === "ustar\0";
  const isStar = block.toString("latin1", 508, 512) === "tar\0";
  const prefix = isUstar ? text(block.subarray(345, isStar ? 476 : 500)) : "";
  const name = text(block.subarray(0, 100));
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** Up to the first NUL. */
function text(field: Buffer): string {
  const end = field.indexOf(0);
  const bytes = end === -1 ? field : field.subarray(0, end);
  if (isUtf8(bytes)) return bytes.toString("utf8");
  return bytes.toString("latin1").replace(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`);
}

/** An octal number, or a binary one where the first bit is set (GNU, for files from 8 GiB). */
function numberAt(block: Buffer, at: number, length: number): number {
  const field = block.subarray(at, at + length);
  const first = field[0] ?? 0;
  const value =
    first >= 0x80
      ? field.subarray(1).reduce((sum, byte) => sum * 256 + byte, first & 0x7f)
      : octal(field.toString("latin1").replace(/^[ \0]+|[ \0]+$/g, ""));
  if (!Number.isSafeInteger(value)) throw new Error("a header with an invalid number");
  return value;
}

function octal(digits: string): number {
  return digits === "" ? 0 : /^[0-7]+$/.test(digits) ? parseInt(digits, 8) : Number.NaN;
}

/** The sum of the header's bytes, its own field taken as blanks; old writers add up signed bytes. */
function verifyChecksum(block: Buffer): void {
  const claimed = numberAt(block, 148, 8);
  let unsigned = 0;
  let signed = 0;
  for (let at = 0; at < BLOCK; at++) {
    const byte = at >= 148 && at < 156 ? 0x20 : (block[at] ?? 0);
    unsigned += byte;
    signed += byte < 0x80 ? byte : byte - 256;
  }
  if (claimed !== unsigned && claimed !== signed) throw new Error("a header with a wrong checksum");
}

/** `LENGTH KEY=VALUE\n`, LENGTH in decimal and of the whole record. */
function parsePax(content: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let rest = content; rest.length > 0;) {
    const space = rest.indexOf(" ");
    const digits = rest.toString("latin1", 0, Math.max(space, 0));
    const length = /^\d+$/.test(digits) ? Number(digits) : 0;
    const equals = rest.indexOf("=", space);
    if (length > rest.length || rest[length - 1] !== 0x0a || equals < 0 || equals >= length)
      throw new Error("a malformed pax header");
    const key = rest.toString("latin1", space + 1, equals);
    const value = rest.subarray(equals + 1, length - 1);
    if (/^(?:link)?path$/.test(key) && value.includes(0)) throw new Error("a name with a NUL byte");
    if (key.startsWith("GNU.sparse.")) throw new Error("a sparse file");
    records.set(key, text(value));
    rest = rest.subarray(length);
  }
  return records;
}

function paxSize(pax: ReadonlyMap<string, string>): number | undefined {
  const digits = pax.get("size") ?? "";
  if (digits === "") return undefined;
  const size = /^\d+$/.test(digits) ? Number(digits) : Number.NaN;
  if (!Number.isSafeInteger(size)) throw new Error("a pax header with an invalid size");
  return size;
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

function isZero(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}
