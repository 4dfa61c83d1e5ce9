import { createHash } from "node:crypto";
import { Writable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import * as zlib from "node:zlib";
import { isTgoError, TgoError } from "@tgo/errors";
import {
  DOCKER_LAYER,
  DOCKER_LAYER_GZIP,
  DOCKER_LAYER_ZSTD,
  inParallel,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
} from "@tgo/registry";
import { ElfScan, type ElfReport, type ElfScanOptions } from "../elf/elf-scan.js";
import { readPackages } from "../packages/package-files.js";
import type { VariantContents } from "../parity/compare-contents.js";
import type { Platform } from "../platform.js";
import { FileScan } from "./file-facts.js";
import { Directory, entriesOf, LayerTree, stackLayer, SymbolicLink, TreeBudget } from "./layer-tree.js";
import { PassedBytes } from "./minor-gc.js";
import { TarReader } from "./tar-reader.js";
import { zstdDecompress, zstdUnreadable } from "./zstd.js";

/** One layer of an image, to be read once. */
export interface LayerSource {
  readonly mediaType: string;
  /** The layer as a registry has it. Its chunks must not change any more. */
  readonly open: () => Promise<ReadableStream<Uint8Array>> | ReadableStream<Uint8Array>;
}

/** A layer that was read. */
export interface LayerContent {
  readonly root: Directory;
  /** The digest of the uncompressed archive: image-spec, config.md#layer-diffid. */
  readonly diffId: string;
}

/**
 * How many layers to read at once. Decompression, half of the work, runs in Node's pool of four threads, and waits for
 * what it has unpacked to be read in the main one: with two layers on two cores, one of them often has nothing to do.
 */
export const LAYERS_AT_ONCE = 4;

/**
 * Bytes that zlib's thread hands over at once. With Node's default of 16 KiB, a quarter of the time goes into that.
 */
const UNPACKED_CHUNK = 128 * 1024;

/** What Docker and skopeo decompress whatever the media type says, in hex: gzip, bzip2, xz, zstd and its skippable frames. */
const COMPRESSED = /^(?:1f8b08|425a68|fd377a585a00|28b52ffd|5.2a4d18)/;
/** How many bytes are needed to tell. */
const MAGIC_BYTES = 6;

/**
 * The ELF files in the file system that these layers form, the lowest first: a file that an upper layer deletes or
 * replaces does not count. Memory grows with the number of files, not with their size, and is bounded.
 * @throws TgoError INVALID_RESPONSE for a layer that is not tar, gzip or zstd, or that not all container engines unpack
 * alike; ENVIRONMENT for zstd on a Node that cannot read it; whatever opening a layer throws
 */
export async function scanLayers(
  layers: readonly LayerSource[],
  platform: Platform,
  options: ElfScanOptions = {},
): Promise<ElfReport> {
  const budget = new TreeBudget();
  const read = await inParallel(LAYERS_AT_ONCE, layers, (layer) => readLayer(layer, budget));
  return mergeLayers(read, platform, options);
}

/** Stacks the layers, the lowest first, and scans the file system that they form; see {@link scanTree}. */
export function mergeLayers(
  layers: readonly LayerContent[],
  platform: Platform,
  options: ElfScanOptions = {},
): ElfReport {
  return scanTree(stackLayers(layers), platform, options);
}

/** The file system that layers form, the lowest first. @throws TgoError INVALID_RESPONSE as {@link scanLayers} */
export function stackLayers(layers: readonly LayerContent[]): Directory {
  return refusing("the layers cannot be stacked", () =>
    layers.reduce((lower, { root }) => stackLayer(lower, root), new Directory()),
  );
}

/** Checks the ELF files of a file system, and proves that programs in it find their libraries. */
export function scanTree(root: Directory, platform: Platform, options: ElfScanOptions = {}): ElfReport {
  const scan = new ElfScan(platform, options);
  const links = new Map<string, string>();
  const contents = new Map<string, string>();
  for (const [path, entry] of entriesOf(root)) {
    if (entry instanceof SymbolicLink) {
      links.set(path, entry.target);
      continue;
    }
    const facts = typeof entry === "number" ? undefined : entry;
    scan.add(path, facts?.elf);
    if (facts?.content !== undefined) contents.set(path, facts.content);
  }
  return scan.report({
    linkTarget: (path) => links.get(path),
    loaderFile: (path) => {
      const content = contents.get(path);
      return content === undefined ? undefined : bytesOf(content);
    },
    packageFiles: function* () {
      for (const [path, content] of contents) yield [path, bytesOf(content)];
    },
  });
}

/** What a file system contains, to be compared with that of another platform. */
export function contentsOf(root: Directory, platform: Platform): VariantContents {
  const files = new Map<string, number>();
  const databases: [string, Uint8Array][] = [];
  for (const [path, entry] of entriesOf(root)) {
    if (entry instanceof SymbolicLink) continue;
    files.set(path, typeof entry === "number" ? entry : entry.size);
    if (typeof entry === "object" && entry.content !== undefined)
      databases.push([path, bytesOf(entry.content)]);
  }
  return { platform, files, packages: readPackages(databases) };
}

/** @param content as in FileFacts */
function bytesOf(content: string): Buffer {
  return Buffer.from(content, "latin1");
}

/** Reads one layer's stream to its end: decompresses, hashes and looks at each byte once. */
export async function readLayer(layer: LayerSource, budget: TreeBudget): Promise<LayerContent> {
  const tree = new LayerTree(budget);
  const reader = new TarReader(
    (path, size) => new FileScan(path, size),
    (entry) => {
      tree.add(entry);
    },
  );
  return { root: tree.root, diffId: await unpackLayer(layer, reader, budget) };
}

/**
 * Writes a layer's uncompressed archive to a reader.
 * @returns its digest: image-spec, config.md#layer-diffid
 * @throws TgoError as {@link scanLayers}; what the reader throws is a reason why engines unpack the layer differently
 */
export async function unpackLayer(
  { mediaType, open }: LayerSource,
  reader: ArchiveReader,
  budget: TreeBudget,
): Promise<string> {
  const passed = new PassedBytes();
  const decompress = decompression(mediaType);
  let received = 0;
  const compressed = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of await open()) {
      received += chunk.length;
      passed.add(chunk.length);
      yield chunk;
    }
  };
  const archive = new ArchiveSink(reader, (bytes) => {
    budget.unpack(bytes);
    passed.add(bytes);
  });
  try {
    await (decompress === undefined
      ? pipeline(compressed, archive)
      : pipeline(compressed, decompress, archive));
    // Node stops at zeros, and after a zstd frame; Go's readers go on, or refuse them.
    if (decompress !== undefined && "bytesWritten" in decompress && decompress.bytesWritten !== received)
      throw new Error("more data follows the compressed archive");
    if (decompress === undefined && COMPRESSED.test(archive.start.toString("hex")))
      throw new Error("its first file's name is taken for the beginning of a compressed archive");
  } catch (cause) {
    if (isTgoError(cause)) throw cause;
    throw refusal(
      `the layer is not a ${mediaType.replace(/^.*\.tar/, "tar")} that all engines unpack alike`,
      cause,
    );
  }
  return archive.digest();
}

/** What reads an uncompressed archive, as its bytes come. */
interface ArchiveReader {
  write(chunk: Uint8Array): void;
  end(): void;
}

/** Hashes an uncompressed archive while it is read. */
class ArchiveSink extends Writable {
  /** Its first bytes. */
  start: Buffer = Buffer.alloc(0);
  readonly #hash = createHash("sha256");
  readonly #reader: ArchiveReader;

  constructor(
    reader: ArchiveReader,
    private readonly onBytes: (bytes: number) => void,
  ) {
    super();
    this.#reader = reader;
  }

  override _write(chunk: Buffer, _: string, done: (error?: Error) => void): void {
    done(
      caught(() => {
        this.#hash.update(chunk);
        this.onBytes(chunk.length);
        if (this.start.length < MAGIC_BYTES)
          this.start = Buffer.concat([this.start, chunk.subarray(0, MAGIC_BYTES)]);
        this.#reader.write(chunk);
      }),
    );
  }

  override _final(done: (error?: Error) => void): void {
    done(
      caught(() => {
        this.#reader.end();
      }),
    );
  }

  digest(): string {
    return `sha256:${this.#hash.digest("hex")}`;
  }
}

function caught(work: () => void): Error | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function refusing<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw refusal(what, cause);
  }
}

function refusal(what: string, cause: unknown): TgoError {
  return new TgoError(
    "INVALID_RESPONSE",
    `${what}: ${cause instanceof Error ? cause.message : String(cause)}`,
    {
      remedy: "Build the image with Docker, BuildKit or Buildah, and push it again.",
    },
  );
}

/** Undefined for a layer that is not compressed. */
function decompression(mediaType: string): Transform | undefined {
  switch (mediaType) {
    case OCI_LAYER:
    case DOCKER_LAYER:
      return undefined;
    case OCI_LAYER_GZIP:
    case DOCKER_LAYER_GZIP:
      return zlib.createGunzip({ chunkSize: UNPACKED_CHUNK });
    case OCI_LAYER_ZSTD:
    case DOCKER_LAYER_ZSTD: {
      const create = zstdDecompress();
      if (create !== undefined) return create({ chunkSize: UNPACKED_CHUNK });
      throw zstdUnreadable();
    }
    default:
      throw new TgoError("INVALID_RESPONSE", `"${mediaType}" is not a layer this program can read`);
  }
}
