import { createHash } from "node:crypto";
import { PassThrough, Readable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import * as zlib from "node:zlib";
import { isTgoError, TgoError } from "@tgo/errors";
import {
  DOCKER_LAYER,
  DOCKER_LAYER_GZIP,
  DOCKER_LAYER_ZSTD,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
} from "@tgo/registry";
import { ELF_HEADER_BYTES } from "./elf/elf-header.js";
import { ElfScan, type ElfReport } from "./elf/elf-scan.js";
import { Directory, filesOf, LayerTree, stackLayer, TreeBudget } from "./layer-tree.js";
import type { Platform } from "./platform.js";
import { readTar } from "./tar-reader.js";

/** One layer of an image, to be read once. */
export interface LayerSource {
  readonly mediaType: string;
  readonly open: () => Promise<ReadableStream<Uint8Array>> | ReadableStream<Uint8Array>;
}

/** A layer that was read. */
export interface LayerContent {
  readonly root: Directory;
  /** The digest of the uncompressed archive: image-spec, config.md#layer-diffid. */
  readonly diffId: string;
}

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
  options: { allow?: readonly string[] } = {},
): Promise<ElfReport> {
  const budget = new TreeBudget();
  const read: LayerContent[] = [];
  for (const layer of layers) read.push(await readLayer(layer, budget));
  return mergeLayers(read, platform, options);
}

/** Stacks the layers, the lowest first. */
export function mergeLayers(
  layers: readonly LayerContent[],
  platform: Platform,
  options: { allow?: readonly string[] } = {},
): ElfReport {
  const scan = new ElfScan(platform, options);
  const merged = refusing("the layers cannot be stacked", () =>
    layers.reduce((lower, { root }) => stackLayer(lower, root), new Directory()),
  );
  for (const [path, header] of filesOf(merged)) scan.add(path, header);
  return scan.report();
}

/** Reads one layer's stream to its end. */
export async function readLayer({ mediaType, open }: LayerSource, budget: TreeBudget): Promise<LayerContent> {
  const tree = new LayerTree(budget);
  const hash = createHash("sha256");
  const decompress = decompression(mediaType);
  let received = 0;
  let start = Buffer.alloc(0);
  try {
    await pipeline(
      Readable.fromWeb(await open()),
      async function* (chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          received += chunk.length;
          yield chunk;
        }
      },
      decompress,
      async (chunks: AsyncIterable<Uint8Array>) => {
        const hashed = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
          for await (const chunk of chunks) {
            hash.update(chunk);
            budget.unpack(chunk.length);
            if (start.length < MAGIC_BYTES) start = Buffer.concat([start, chunk.subarray(0, MAGIC_BYTES)]);
            yield chunk;
          }
        };
        for await (const entry of readTar(hashed(), ELF_HEADER_BYTES)) tree.add(entry);
      },
    );
    // Node stops at zeros, and after a zstd frame; Go's readers go on, or refuse them.
    if ("bytesWritten" in decompress && decompress.bytesWritten !== received)
      throw new Error("more data follows the compressed archive");
    if (decompress instanceof PassThrough && COMPRESSED.test(start.toString("hex")))
      throw new Error("its first file's name is taken for the beginning of a compressed archive");
  } catch (cause) {
    if (isTgoError(cause)) throw cause;
    throw refusal(
      `the layer is not a ${mediaType.replace(/^.*\.tar/, "tar")} that all engines unpack alike`,
      cause,
    );
  }
  return { root: tree.root, diffId: `sha256:${hash.digest("hex")}` };
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

function decompression(mediaType: string): Transform {
  switch (mediaType) {
    case OCI_LAYER:
    case DOCKER_LAYER:
      return new PassThrough();
    case OCI_LAYER_GZIP:
    case DOCKER_LAYER_GZIP:
      return zlib.createGunzip();
    case OCI_LAYER_ZSTD:
    case DOCKER_LAYER_ZSTD: {
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
    default:
      throw new TgoError("INVALID_RESPONSE", `"${mediaType}" is not a layer this program can read`);
  }
}
