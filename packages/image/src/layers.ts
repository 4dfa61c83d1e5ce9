import { Readable, Writable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import * as zlib from "node:zlib";
import { isTgoError, TgoError } from "@tgo/errors";
import type { ReadEntry } from "tar";
import { Parser } from "tar/parse";
import { ELF_HEADER_BYTES, ElfScan, readElfHeader, type ElfReport } from "./elf/elf.js";
import type { Platform } from "./platform.js";

/** One layer of an image, to be read once. */
export interface LayerSource {
  readonly mediaType: string;
  readonly open: () => Promise<ReadableStream<Uint8Array>> | ReadableStream<Uint8Array>;
}

/** What one layer does to the file system below it, as far as the ELF check cares. */
export interface LayerReport {
  /** Regular files in the order of their paths' first appearance; the machine of those that are ELF. */
  readonly files: ReadonlyMap<string, number | undefined>;
  /** Hard links whose target is in a lower layer: path to target. */
  readonly links: ReadonlyMap<string, string>;
  /** Paths that hide whatever lower layers have there and below. */
  readonly removed: ReadonlySet<string>;
  /** Folders: one replaces a file that a lower layer has in its place, and keeps what is below it. */
  readonly folders: ReadonlySet<string>;
  /** Folders that hide what lower layers have in them. */
  readonly opaque: ReadonlySet<string>;
}

/** image-spec, layer.md#whiteouts */
const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";

/**
 * The ELF files of the file system that these layers make together, the lowest first: a file that an upper
 * layer deletes or replaces is not counted. Memory grows with the number of files, not with their size.
 * @throws TgoError INVALID_RESPONSE for a layer that is no tar, gzip or zstd; ENVIRONMENT for zstd on a Node
 * that cannot read it; whatever opening a layer throws.
 */
export async function scanLayers(
  layers: readonly LayerSource[],
  platform: Platform,
  options: { allow?: readonly string[] } = {},
): Promise<ElfReport> {
  const facts: LayerReport[] = [];
  for (const layer of layers) facts.push(await readLayer(layer));
  return mergeLayers(facts, platform, options);
}

/** Lays the layers over each other; the lowest first. */
export function mergeLayers(
  layers: readonly LayerReport[],
  platform: Platform,
  options: { allow?: readonly string[] } = {},
): ElfReport {
  const merged = new Map<string, number | undefined>();
  for (const { files, links, removed, folders, opaque } of layers) {
    // A link's target is looked up before the same layer may hide it.
    const linked = [...links].map(
      ([path, target]) => [path, files.get(target) ?? merged.get(target)] as const,
    );
    if (removed.size + opaque.size > 0) {
      for (const path of merged.keys()) if (isHidden(path, removed, opaque)) merged.delete(path);
    }
    for (const path of folders) merged.delete(path);
    for (const [path, machine] of files) merged.set(path, machine);
    for (const [path, machine] of linked) merged.set(path, machine);
  }
  const scan = new ElfScan(platform, options);
  for (const [path, machine] of merged) scan.add(path, machine);
  return scan.report();
}

/** Reads one layer's stream to its end. */
export async function readLayer({ mediaType, open }: LayerSource): Promise<LayerReport> {
  const files = new Map<string, number | undefined>();
  const links = new Map<string, string>();
  const removed = new Set<string>();
  const folders = new Set<string>();
  const opaque = new Set<string>();

  const onReadEntry = (entry: ReadEntry): void => {
    const path = absolute(entry.path);
    const slash = path.lastIndexOf("/");
    const folder = path.slice(0, slash);
    const name = path.slice(slash + 1);
    if (name === OPAQUE) opaque.add(folder === "" ? "/" : folder);
    else if (name.startsWith(WHITEOUT)) removed.add(`${folder}/${name.slice(WHITEOUT.length)}`);
    else if (entry.type === "Link") {
      const target = absolute(entry.linkpath ?? "");
      if (files.has(target)) files.set(path, files.get(target));
      else links.set(path, target);
      removed.add(path);
    } else if (entry.type === "File" || entry.type === "OldFile" || entry.type === "ContiguousFile") {
      // Whatever was here below, be it a folder, is replaced.
      removed.add(path);
      links.delete(path);
      files.set(path, undefined);
      readHeader(entry, (machine) => files.set(path, machine));
      return;
    } else if (entry.type === "Directory" || entry.type === "GNUDumpDir") {
      folders.add(path);
    } else {
      removed.add(path);
      files.delete(path);
    }
    entry.resume();
  };

  const damage: string[] = [];
  // An empty layer is a tar of zeros, which the parser takes for no tar.
  const blank = { value: true };
  const parser = new Parser({
    onReadEntry,
    onwarn: (code, message) => {
      if (code !== "TAR_ENTRY_INFO") damage.push(message);
    },
  });
  try {
    const stream = Readable.fromWeb(await open());
    await pipeline([
      stream,
      ...decompression(mediaType),
      sink(parser, (chunk) => {
        blank.value &&= chunk.every((byte) => byte === 0);
      }),
    ]);
  } catch (cause) {
    if (isTgoError(cause)) throw cause;
    throw unreadable(mediaType, cause instanceof Error ? cause.message : String(cause));
  }
  const [first] = damage;
  if (first !== undefined && !blank.value) throw unreadable(mediaType, first);
  return { files, links, removed, folders, opaque };
}

/** The first bytes of an entry; the rest passes by unread. */
function readHeader(entry: ReadEntry, done: (machine: number | undefined) => void): void {
  let header: Buffer = Buffer.alloc(0);
  entry.on("data", (chunk: Buffer) => {
    if (header.length >= ELF_HEADER_BYTES) return;
    header = Buffer.concat([header, chunk.subarray(0, ELF_HEADER_BYTES - header.length)]);
  });
  entry.on("end", () => {
    done(readElfHeader(header)?.machine);
  });
}

function sink(parser: Parser, look: (chunk: Buffer) => void): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, callback) {
      look(chunk);
      if (parser.write(chunk)) callback();
      else
        parser.once("drain", () => {
          callback();
        });
    },
    final(callback) {
      parser.once("end", () => {
        callback();
      });
      parser.end();
    },
  });
}

function decompression(mediaType: string): Transform[] {
  if (/gzip$/.test(mediaType)) return [zlib.createGunzip()];
  if (/zstd$/.test(mediaType)) {
    // In Node since 22.15 and 23.8; absent from the types of the oldest Node we support.
    const create =
      "createZstdDecompress" in zlib ? (zlib.createZstdDecompress as () => Transform) : undefined;
    if (create !== undefined) return [create()];
    throw new TgoError(
      "ENVIRONMENT",
      `this Node (${process.version}) cannot read layers compressed with zstd`,
      {
        remedy: "Use Node 22.15 or newer, or publish with gzip layers.",
      },
    );
  }
  if (/tar$/.test(mediaType)) return [];
  throw new TgoError("INVALID_RESPONSE", `"${mediaType}" is no layer this program can read`);
}

function unreadable(mediaType: string, why: string): TgoError {
  return new TgoError(
    "INVALID_RESPONSE",
    `the layer is no readable ${mediaType.replace(/^.*\.tar/, "tar")}: ${why}`,
  );
}

function absolute(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

function isHidden(path: string, removed: ReadonlySet<string>, opaque: ReadonlySet<string>): boolean {
  if (removed.has(path) || opaque.has("/")) return true;
  for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
    const ancestor = path.slice(0, slash);
    if (removed.has(ancestor) || opaque.has(ancestor)) return true;
  }
  return false;
}
