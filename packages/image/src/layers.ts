import { PassThrough, Readable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import * as zlib from "node:zlib";
import { isTgoError, TgoError } from "@tgo/errors";
import { ELF_HEADER_BYTES, readElfHeader } from "./elf/elf-header.js";
import { ElfScan, type ElfReport } from "./elf/elf-scan.js";
import type { Platform } from "./platform.js";
import { readTar, type TarEntry } from "./tar-reader.js";

/** One layer of an image, to be read once. */
export interface LayerSource {
  readonly mediaType: string;
  readonly open: () => Promise<ReadableStream<Uint8Array>> | ReadableStream<Uint8Array>;
}

/** What one layer does to the file system below it, as far as the ELF check is concerned. */
export interface LayerReport {
  /** Regular files in the order in which their paths first appear; the machine of those that are ELF. */
  readonly files: ReadonlyMap<string, number | undefined>;
  /** Hard links whose target is in a lower layer: path to target. */
  readonly links: ReadonlyMap<string, string>;
  /** Paths that hide everything that lower layers have there and below. */
  readonly removed: ReadonlySet<string>;
  /** Directories: one replaces a file of a lower layer, but keeps what is below it. */
  readonly directories: ReadonlySet<string>;
  /** Directories that hide what lower layers have in them. */
  readonly opaque: ReadonlySet<string>;
}

/** image-spec, layer.md#whiteouts */
const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";

/**
 * The ELF files in the file system that these layers form, the lowest first: a file that an upper layer deletes or
 * replaces does not count. Memory grows with the number of files, not with their size.
 * @throws TgoError INVALID_RESPONSE for a layer that is not tar, gzip or zstd; ENVIRONMENT for zstd on a Node that
 * cannot read it; whatever opening a layer throws
 */
export async function scanLayers(
  layers: readonly LayerSource[],
  platform: Platform,
  options: { allow?: readonly string[] } = {},
): Promise<ElfReport> {
  const reports: LayerReport[] = [];
  for (const layer of layers) reports.push(await readLayer(layer));
  return mergeLayers(reports, platform, options);
}

/** Stacks the layers, the lowest first. */
export function mergeLayers(
  layers: readonly LayerReport[],
  platform: Platform,
  options: { allow?: readonly string[] } = {},
): ElfReport {
  const merged = new Map<string, number | undefined>();
  for (const { files, links, removed, directories, opaque } of layers) {
    // A link's target is looked up before the same layer may hide it.
    const linked = [...links].map(
      ([path, target]) => [path, files.get(target) ?? merged.get(target)] as const,
    );
    if (removed.size + opaque.size > 0) {
      for (const path of merged.keys()) if (isHidden(path, removed, opaque)) merged.delete(path);
    }
    for (const path of directories) merged.delete(path);
    for (const [path, machine] of files) merged.set(path, machine);
    for (const [path, machine] of linked) merged.set(path, machine);
  }
  const scan = new ElfScan(platform, options);
  for (const [path, machine] of merged) scan.add(path, machine);
  return scan.report();
}

/** Reads one layer's stream to its end. */
export async function readLayer({ mediaType, open }: LayerSource): Promise<LayerReport> {
  const layer = new LayerContent();
  try {
    await pipeline(
      Readable.fromWeb(await open()),
      decompression(mediaType),
      async (chunks: AsyncIterable<Uint8Array>) => {
        for await (const entry of readTar(chunks, ELF_HEADER_BYTES)) layer.add(entry);
      },
    );
  } catch (cause) {
    if (isTgoError(cause)) throw cause;
    throw new TgoError(
      "INVALID_RESPONSE",
      `the layer is not a readable ${mediaType.replace(/^.*\.tar/, "tar")}: ${cause instanceof Error ? cause.message : String(cause)}`,
    );
  }
  return layer;
}

class LayerContent implements LayerReport {
  readonly files = new Map<string, number | undefined>();
  readonly links = new Map<string, string>();
  readonly removed = new Set<string>();
  readonly directories = new Set<string>();
  readonly opaque = new Set<string>();

  add(entry: TarEntry): void {
    const path = absolute(entry.path);
    const slash = path.lastIndexOf("/");
    const directory = path.slice(0, slash);
    const name = path.slice(slash + 1);
    if (name === OPAQUE) this.opaque.add(directory === "" ? "/" : directory);
    else if (name.startsWith(WHITEOUT)) this.removed.add(`${directory}/${name.slice(WHITEOUT.length)}`);
    else if (entry.type === "hard link") this.#addLink(path, absolute(entry.target));
    else if (entry.type === "directory") this.directories.add(path);
    else {
      // Whatever was here below, even a directory, is replaced.
      this.removed.add(path);
      this.links.delete(path);
      if (entry.type === "file") this.files.set(path, readElfHeader(entry.head)?.machine);
      else this.files.delete(path);
    }
  }

  #addLink(path: string, target: string): void {
    if (this.files.has(target)) this.files.set(path, this.files.get(target));
    else this.links.set(path, target);
    this.removed.add(path);
  }
}

function decompression(mediaType: string): Transform {
  if (/gzip$/.test(mediaType)) return zlib.createGunzip();
  if (/zstd$/.test(mediaType)) {
    // In Node since 22.15 and 23.8; absent from the types of the oldest Node we support.
    const create =
      "createZstdDecompress" in zlib ? (zlib.createZstdDecompress as () => Transform) : undefined;
    if (create !== undefined) return create();
    throw new TgoError(
      "ENVIRONMENT",
      `this Node (${process.version}) cannot read layers compressed with zstd`,
      { remedy: "Use Node 22.15 or newer, or publish with gzip layers." },
    );
  }
  if (/tar$/.test(mediaType)) return new PassThrough();
  throw new TgoError("INVALID_RESPONSE", `"${mediaType}" is not a layer this program can read`);
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
