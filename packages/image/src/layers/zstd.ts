import type { Transform } from "node:stream";
import * as zlib from "node:zlib";
import { TgoError } from "@tgo/errors";

/** Whether this Node reads layers compressed with zstd. */
export function readsZstd(): boolean {
  return zstdDecompress() !== undefined;
}

export function zstdUnreadable(): TgoError {
  return new TgoError(
    "ENVIRONMENT",
    `this Node (${process.version}) cannot read layers compressed with zstd`,
    { remedy: "Use Node 22.15 or newer, or publish with gzip layers." },
  );
}

/** In Node since 22.15 and 23.8; absent from the types of the oldest Node we support. */
export function zstdDecompress(): ((options: zlib.ZlibOptions) => Transform) | undefined {
  return "createZstdDecompress" in zlib
    ? (zlib.createZstdDecompress as (options: zlib.ZlibOptions) => Transform)
    : undefined;
}
