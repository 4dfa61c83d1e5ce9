import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";

const BLOCK = 512;

/**
 * A layer's files as an OCI layer: https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md
 * The same files make the same bytes: entries are sorted, times have whole seconds, names of users are left out.
 * The overlay's own marks become the specification's: a 0/0 device is a whiteout, an opaque directory gets one.
 */
export async function* layerTar(folder: string): AsyncGenerator<Buffer> {
  const tar = spawn(
    "tar",
    [
      ...["-C", folder, "--create", "--file=-", "--sort=name", "--numeric-owner", "--format=posix"],
      "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime,delete=mtime",
      ...["--xattrs", "--xattrs-include=security.capability", "--xattrs-include=trusted.overlay.opaque"],
      ...["--null", "--verbatim-files-from", "--files-from=-"],
    ],
    { stdio: ["pipe", "pipe", "pipe"], env: { PATH: process.env.PATH, LC_ALL: "C" } },
  );
  let said = "";
  tar.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<number>((resolve, reject) => {
    tar.on("error", reject);
    tar.on("close", (code) => {
      resolve(code ?? 1);
    });
  });
  tar.stdin.end(
    readdirSync(folder)
      .sort()
      .map((name) => `${name}\0`)
      .join(""),
  );
  yield* translate(tar.stdout);
  const code = await ended;
  if (code !== 0) throw new Error(`tar ended with ${code}: ${said.trim()}`);
}

/** Rewrites the overlay's marks in a pax tar stream; everything else passes through. */
async function* translate(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const input = new Blocks(source);
  let records: Map<string, Buffer> | undefined;
  for (;;) {
    const header = await input.take(BLOCK);
    if (header === undefined) return;
    const size = octal(header, 124, 12);
    const type = String.fromCharCode(header[156] ?? 0);
    if (type === "x") {
      const body = await input.take(roundUp(size));
      records = paxRecords(body?.subarray(0, size) ?? Buffer.alloc(0));
      continue;
    }
    const opaque = records?.delete("SCHILY.xattr.trusted.overlay.opaque") ?? false;
    const path = records?.get("path")?.toString() ?? shortName(header);
    if (type === "3" && octal(header, 329, 8) === 0 && octal(header, 337, 8) === 0) {
      yield whiteout(header, path.replace(/([^/]+)\/?$/, ".wh.$1"));
      records = undefined;
      continue;
    }
    if (records && records.size > 0) yield paxHeader(header, records);
    records = undefined;
    yield header;
    yield* input.pass(roundUp(size));
    if (opaque) yield whiteout(header, `${path.replace(/\/$/, "")}/.wh..wh..opq`);
  }
}

/** Reads a stream in pieces of known length. */
class Blocks {
  readonly #source: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async take(length: number): Promise<Buffer | undefined> {
    while (this.#rest.length < length) {
      const next = await this.#source.next();
      if (next.done) return undefined;
      this.#rest = this.#rest.length === 0 ? next.value : Buffer.concat([this.#rest, next.value]);
    }
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return taken;
  }

  async *pass(length: number): AsyncGenerator<Buffer> {
    for (let left = length; left > 0;) {
      const piece = await this.take(Math.min(left, Math.max(this.#rest.length, 1)));
      if (piece === undefined) return;
      left -= piece.length;
      yield piece;
    }
  }
}

function roundUp(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

/** A number of a tar header; GNU tar writes large ones in base 256. */
function octal(header: Buffer, offset: number, length: number): number {
  if (((header[offset] ?? 0) & 0x80) !== 0) return Number(header.readBigUInt64BE(offset + length - 8));
  return Number.parseInt(
    header
      .toString("latin1", offset, offset + length)
      .replace(/\0.*$/, "")
      .trim() || "0",
    8,
  );
}

function text(header: Buffer, offset: number, length: number): string {
  const end = header.indexOf(0, offset);
  return header.toString("utf8", offset, end === -1 ? offset + length : Math.min(end, offset + length));
}

function shortName(header: Buffer): string {
  const prefix = text(header, 345, 155);
  return prefix === "" ? text(header, 0, 100) : `${prefix}/${text(header, 0, 100)}`;
}

function paxRecords(body: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < body.length;) {
    const space = body.indexOf(0x20, at);
    const length = Number(body.toString("latin1", at, space));
    const equals = body.indexOf(0x3d, space);
    records.set(body.toString("utf8", space + 1, equals), body.subarray(equals + 1, at + length - 1));
    at += length;
  }
  return records;
}

function paxHeader(like: Buffer, records: ReadonlyMap<string, Buffer>): Buffer {
  const body = Buffer.concat(
    [...records].map(([key, value]) => {
      const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from("\n")]);
      // The length counts its own digits.
      let length = rest.length + 1;
      while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
      return Buffer.concat([Buffer.from(String(length)), rest]);
    }),
  );
  const name = `PaxHeaders/${text(like, 0, 100).split("/").filter(Boolean).pop() ?? ""}`.slice(0, 99);
  const padding = Buffer.alloc(roundUp(body.length) - body.length);
  return Buffer.concat([header(like, name, "x", body.length), body, padding]);
}

/** An empty file that hides what lies below. */
function whiteout(like: Buffer, path: string): Buffer {
  if (Buffer.byteLength(path) <= 100) return header(like, path, "0", 0);
  const long = paxHeader(like, new Map([["path", Buffer.from(path)]]));
  return Buffer.concat([long, header(like, path.slice(-50), "0", 0)]);
}

function header(like: Buffer, name: string, type: string, size: number): Buffer {
  const block = Buffer.from(like);
  block.fill(0, 0, 100).write(name, 0, 100);
  block.write("0000644\0", 100, "latin1");
  // When a file was removed is no part of the content.
  block.write("00000000000\0", 136, "latin1");
  block.write(`${size.toString(8).padStart(11, "0")}\0`, 124, "latin1");
  block.write(type, 156, "latin1");
  block.fill(0, 157, 257).fill(0, 329, 500);
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}
