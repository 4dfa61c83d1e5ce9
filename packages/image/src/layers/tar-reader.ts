import { isUtf8 } from "node:buffer";
import { ByteFeed, type Parser } from "./byte-feed.js";

/** Looks at the content of one regular file. */
export interface ContentScan<T> {
  /** The next bytes, which do not change any more. Those that are kept keep their whole chunk. @returns whether it wants more */
  add(bytes: Buffer): boolean;
  /** What it found, once the file has ended. */
  facts(): T | undefined;
}

/** One entry of a tar archive. */
export interface TarEntry<T = unknown> {
  readonly type: "file" | "hard link" | "symbolic link" | "directory" | "device" | "null device";
  /** As in the archive; where it is not UTF-8, its bytes as lone surrogates: different names stay different. */
  readonly path: string;
  /** The target of a link, as in the archive. */
  readonly target: string;
  /** What was found in a regular file's content. */
  readonly facts: T | undefined;
  readonly stat: TarStat;
}

/** What an archive says about an entry besides its content. */
export interface TarStat {
  /** Bytes of a regular file. */
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  /** `UID:GID` */
  readonly owner: string;
  /** Seconds since 1970. */
  readonly mtime: number;
}

const BLOCK = 512;
const ZEROS = Buffer.alloc(BLOCK);
/** The largest long name or pax header: the limit of Go's archive/tar, which container engines read layers with. */
const MAX_METADATA = 1024 * 1024;
/** Extended headers of one entry, and records of one of them: real archives have three, and one an attribute. */
const MAX_HEADERS = 16;
const MAX_RECORDS = 1000;

const TYPES: Readonly<Record<string, TarEntry["type"]>> = {
  "\0": "file",
  "0": "file",
  "1": "hard link",
  "2": "symbolic link",
  "3": "device",
  "4": "device",
  "6": "device",
  "5": "directory",
};

/** git archive's: a comment. */
const GLOBAL_HEADER = "pax_global_header";

const PAX_TIME = /^-?\d{1,18}(?:\.\d*)?$/;

/** As Go parses them; it refuses an archive in which one is malformed. */
const PAX_NUMBERS: Readonly<Record<string, RegExp>> = {
  size: /^\d{1,18}$/,
  uid: /^-?\d{1,18}$/,
  gid: /^-?\d{1,18}$/,
  mtime: PAX_TIME,
  atime: PAX_TIME,
  ctime: PAX_TIME,
};

/**
 * Reads a tar archive as its bytes come: V7, ustar, GNU long names, pax. Names, sizes and types are those that Docker,
 * containerd and skopeo see (Go's archive/tar); an archive that one of them refuses, or that they unpack differently,
 * is refused. Memory is bounded by the longest name.
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html and https://www.gnu.org/software/tar/manual/html_node/Standard.html
 */
export class TarReader<T> {
  readonly #bytes = new ByteFeed();
  readonly #parser: Parser<void>;

  /**
   * @param scanFile called for each regular file with its path, and its size in bytes
   * @param onEntry called for each entry, in the order of the archive
   */
  constructor(
    scanFile: (path: string, size: number) => ContentScan<T>,
    onEntry: (entry: TarEntry<T>) => void,
  ) {
    this.#parser = parseArchive(this.#bytes, scanFile, onEntry);
    this.#parser.next();
  }

  /** The next bytes, which must not change any more. @throws Error for anything that is not an archive */
  write(chunk: Uint8Array): void {
    this.#bytes.feed(chunk);
    this.#parser.next();
  }

  /** There are no more bytes. @throws Error when the archive is not complete */
  end(): void {
    this.#bytes.end();
    this.#parser.next();
  }
}

/** Reads to the end of the stream, past the end of the archive. */
function* parseArchive<T>(
  bytes: ByteFeed,
  scanFile: (path: string, size: number) => ContentScan<T>,
  onEntry: (entry: TarEntry<T>) => void,
): Parser<void> {
  let pax: ReadonlyMap<string, string> = new Map();
  let longName: string | undefined;
  let longTarget: string | undefined;
  let headers = 0;
  for (;;) {
    const block = yield* bytes.readBlock(BLOCK);
    if (block === undefined) break;
    if (isZero(block)) {
      const second = yield* bytes.readBlock(BLOCK);
      if (second !== undefined && !isZero(second)) throw new Error("a lone zero block inside the archive");
      yield* bytes.skipAll();
      break;
    }
    verifyHeader(block);
    const flag = String.fromCharCode(block[156] ?? 0);
    const size = sizeAt(block);
    if (headers > MAX_HEADERS) throw new Error("too many extended headers for one entry");
    headers++;
    if (flag === "L" || flag === "K") {
      const name = text(yield* readMetadata(bytes, size));
      if (flag === "L") longName = name;
      else longTarget = name;
      continue;
    }
    if (flag === "x" || flag === "g") {
      const records = parsePax(yield* readMetadata(bytes, size));
      if (flag === "x") pax = records;
      // Container engines ignore the records, GNU tar applies them; some of them delete a file of the header's name.
      else if (
        nameOf(block) !== GLOBAL_HEADER ||
        [...records.keys()].some((key) => key !== "comment") ||
        (longName ?? longTarget) !== undefined ||
        pax.size > 0
      )
        throw new Error("a global pax header that is more than a comment");
      continue;
    }
    const path = longName ?? (pax.get("path") || nameOf(block));
    const type = flag === "\0" && path.endsWith("/") ? "directory" : TYPES[flag];
    if (type === undefined) throw new Error(`an entry of the unsupported type "${flag}": ${path}`);
    // Other types have no content, whatever size their header gives.
    const content = type === "file" ? (paxSize(pax) ?? size) : 0;
    const scan = type === "file" ? scanFile(path, content) : undefined;
    if (scan !== undefined) yield* bytes.pass(content, (part) => scan.add(part));
    yield* bytes.skip(padding(content));
    onEntry({
      type: flag === "3" && isNullDevice(block) ? "null device" : type,
      path,
      target: longTarget ?? (pax.get("linkpath") || text(block.subarray(157, 257))),
      facts: scan?.facts(),
      stat: {
        size: content,
        mode: numberAt(block, 100, 8) & 0o7777,
        owner: `${pax.get("uid") || numberAt(block, 108, 8)}:${pax.get("gid") || numberAt(block, 116, 8)}`,
        mtime: Number(pax.get("mtime") || numberAt(block, 136, 12)),
      },
    });
    pax = new Map();
    longName = longTarget = undefined;
    headers = 0;
  }
  if (longName !== undefined || longTarget !== undefined || pax.size > 0)
    throw new Error("the archive ends after an extended header");
}

/** The content of an entry that describes the next one. */
function* readMetadata(bytes: ByteFeed, size: number): Parser<Buffer> {
  if (size > MAX_METADATA) throw new Error(`an extended header of ${size} bytes`);
  const content = yield* bytes.read(size);
  yield* bytes.skip(padding(size));
  return content;
}

type Format = "v7" | "ustar" | "star" | "gnu";

function formatOf(block: Buffer): Format {
  const magic = block.toString("latin1", 257, 265);
  if (magic === "ustar  \0") return "gnu";
  if (!magic.startsWith("ustar\0")) return "v7";
  return block.toString("latin1", 508, 512) === "tar\0" ? "star" : "ustar";
}

/** The name field, after the prefix of ustar (155 bytes) or of Schily's star (131); V7 and GNU have none. */
function nameOf(block: Buffer): string {
  const format = formatOf(block);
  const prefix =
    format === "ustar" || format === "star" ? text(block.subarray(345, format === "star" ? 476 : 500)) : "";
  const name = text(block.subarray(0, 100));
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** Up to the first NUL. */
function text(field: Buffer): string {
  const end = field.indexOf(0);
  const bytes = end === -1 ? field : field.subarray(0, end);
  if (isUtf8(bytes)) return bytes.toString("utf8");
  return bytes
    .toString("latin1")
    .replace(/[\x80-\xff]/g, (byte) => String.fromCharCode(0xdc00 + byte.charCodeAt(0)));
}

/** An octal number, or a binary one where the first bit is set (GNU: files from 8 GiB, negative times). */
function numberAt(block: Buffer, at: number, length: number): number {
  const first = block[at] ?? 0;
  const sign = (first & 0x40) === 0 ? 0 : 0xff;
  const value =
    first >= 0x80
      ? block
          .subarray(at, at + length)
          .reduce((sum, byte, index) => sum * 256 + ((byte ^ sign) & (index === 0 ? 0x7f : 0xff)), 0)
      : octalAt(block, at, length);
  if (!(value < 2 ** 63)) throw new Error("a header with an invalid number");
  return first >= 0x80 && sign !== 0 ? -value - 1 : value;
}

function sizeAt(block: Buffer): number {
  const size = numberAt(block, 124, 12);
  if (!Number.isSafeInteger(size) || size < 0) throw new Error("a header with an invalid number");
  return size;
}

/** Octal digits between blanks and NULs; none are 0. NaN for anything else. Read byte by byte: an image has 200,000. */
function octalAt(block: Buffer, at: number, length: number): number {
  const isBlank = (index: number): boolean => block[index] === 0x20 || block[index] === 0;
  let start = at;
  let end = at + length;
  while (start < end && isBlank(start)) start++;
  while (end > start && isBlank(end - 1)) end--;
  let value = 0;
  for (let index = start; index < end; index++) {
    const digit = (block[index] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) return Number.NaN;
    value = value * 8 + digit;
  }
  return value;
}

/** Mode, owner and group, time, device numbers: Go refuses an archive in which one is malformed. */
const NUMBERS: Readonly<Record<Format, readonly (readonly [at: number, length: number])[]>> = (() => {
  const v7 = [[100, 8], [108, 8], [116, 8], [136, 12]] as const; // prettier-ignore
  const ustar = [...v7, [329, 8], [337, 8]] as const;
  return {
    v7,
    ustar,
    star: [...ustar, [476, 12], [488, 12]],
    // Where these two are malformed, Go takes them for a prefix of the name.
    gnu: [...ustar, [345, 12], [357, 12]],
  };
})();

function verifyHeader(block: Buffer): void {
  verifyChecksum(block);
  for (const [at, length] of NUMBERS[formatOf(block)]) numberAt(block, at, length);
}

/** The device 0:0, which overlayfs takes for a whiteout. */
function isNullDevice(block: Buffer): boolean {
  return formatOf(block) === "v7" || (numberAt(block, 329, 8) === 0 && numberAt(block, 337, 8) === 0);
}

/** The sum of the header's bytes, its own field taken as blanks; old writers add up signed bytes. */
function verifyChecksum(block: Buffer): void {
  const claimed = octalAt(block, 148, 8);
  let sum = 8 * 0x20;
  for (let at = 0; at < 148; at++) sum += block[at] ?? 0;
  for (let at = 156; at < BLOCK; at++) sum += block[at] ?? 0;
  if (claimed === sum) return;
  for (let at = 0; at < BLOCK; at++) if ((at < 148 || at >= 156) && (block[at] ?? 0) >= 0x80) sum -= 256;
  if (claimed !== sum) throw new Error("a header with a wrong checksum");
}

/** `LENGTH KEY=VALUE\n`, LENGTH in decimal and of the whole record. */
function parsePax(content: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let rest = content, count = 1; rest.length > 0; count++) {
    if (count > MAX_RECORDS) throw new Error("too many records in a pax header");
    const space = rest.indexOf(" ");
    const digits = rest.toString("latin1", 0, Math.max(space, 0));
    const length = /^\d+$/.test(digits) ? Number(digits) : 0;
    const equals = rest.indexOf("=", space);
    if (length > rest.length || rest[length - 1] !== 0x0a || equals < 0 || equals >= length)
      throw new Error("a malformed pax header");
    const key = rest.toString("latin1", space + 1, equals);
    const value = rest.subarray(equals + 1, length - 1);
    // As Go checks them.
    if (key === "" || key.includes("\0")) throw new Error("a malformed pax header");
    if (/^(?:(?:link)?path|[ug]name)$/.test(key) && value.includes(0))
      throw new Error("a name with a NUL byte");
    if (key.startsWith("GNU.sparse.")) throw new Error("a sparse file");
    // These hide what lower layers have, or change a file's type, where overlayfs or fuse-overlayfs stacks layers.
    if (/\.xattr\.(?:trusted|user)\.(?:overlay|fuseoverlayfs|containers)\./.test(key))
      throw new Error("an attribute that only overlayfs interprets");
    if (value.length > 0 && PAX_NUMBERS[key]?.test(value.toString("latin1")) === false)
      throw new Error(`a pax header with an invalid ${key}`);
    records.set(key, text(value));
    rest = rest.subarray(length);
  }
  return records;
}

function paxSize(pax: ReadonlyMap<string, string>): number | undefined {
  const digits = pax.get("size") ?? "";
  if (digits === "") return undefined;
  if (!Number.isSafeInteger(Number(digits))) throw new Error("a pax header with an invalid size");
  return Number(digits);
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

function isZero(block: Buffer): boolean {
  return block.equals(ZEROS);
}
