import { isTgoError, TgoError } from "@tgo/errors";
import { digesterFor } from "./digest.js";
import { attemptsOf } from "./failures/network-failure.js";

/** Opens the blob at an offset. A server that ignores ranges starts at 0; the returned offset says so. */
export type OpenAt = (offset: number) => Promise<{ chunks: AsyncIterable<Uint8Array>; offset: number }>;

export interface BlobStreamOptions {
  readonly open: OpenAt;
  /** Called when the reader cancels; closes what was opened and not read. */
  readonly abandon: () => Promise<void>;
  /** Bytes; one more is an error. */
  readonly size: number;
  /** Verified at the end; undefined for a part of a blob. */
  readonly digest: string | undefined;
  readonly where: string;
  /** How many broken connections are resumed. */
  readonly resumes: number;
  /** Called before each resume. */
  readonly pause: (attempt: number) => Promise<void>;
}

/**
 * A blob's bytes. A broken connection is resumed where it broke, and the whole is verified against size and digest: a
 * reader that reaches the end without an error has the right bytes.
 */
export function blobStream(options: BlobStreamOptions): ReadableStream<Uint8Array> {
  const chunks = read(options);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await chunks.return(undefined);
        await options.abandon();
      },
    },
    // No read-ahead: memory stays at one chunk.
    { highWaterMark: 0 },
  );
}

async function* read({
  open,
  size,
  digest,
  where,
  resumes,
  pause,
}: BlobStreamOptions): AsyncGenerator<Uint8Array, void, undefined> {
  const digester = digest === undefined ? undefined : digesterFor(digest);
  let position = 0;
  /** Failures in a row that brought nothing. */
  let stuck = 0;
  for (let attempt = 0; ; attempt++) {
    const before = position;
    try {
      const { chunks, offset } = await open(position);
      let skip = position - offset;
      for await (const chunk of chunks) {
        const fresh = skip >= chunk.length ? undefined : chunk.subarray(skip);
        skip = Math.max(0, skip - chunk.length);
        if (fresh === undefined) continue;
        position += fresh.length;
        if (position > size) throw wrongBytes(`the registry sends more than the blob's ${size} bytes`, where);
        digester?.update(fresh);
        yield fresh;
      }
      break;
    } catch (error) {
      if (!isTgoError(error) || error.code !== "UNAVAILABLE" || attempt >= resumes) throw error;
      stuck = position > before ? 0 : stuck + 1;
      if (stuck >= attemptsOf(error) || attemptsOf(error) === 1) throw error;
      await pause(attempt + 1);
    }
  }
  const actual = digester?.digest();
  if (actual !== undefined && actual !== digest)
    throw wrongBytes(`the blob's bytes have the digest ${actual}`, where);
  if (digest !== undefined && position !== size)
    throw wrongBytes(`the blob has ${position} bytes, not ${size}`, where);
}

function wrongBytes(what: string, where: string): TgoError {
  return new TgoError("INVALID_RESPONSE", what, {
    where,
    remedy: "The registry, or a proxy in front of it, sent the wrong bytes. Run the same command again.",
  });
}
