import { isTgoError, TgoError } from "@tgo/errors";
import { digesterFor } from "./digest.js";

/** Opens the blob's bytes from an offset. A server that ignores ranges answers from 0 and says so. */
export type OpenAt = (offset: number) => Promise<{ chunks: AsyncIterable<Uint8Array>; offset: number }>;

export interface BlobStreamOptions {
  readonly open: OpenAt;
  /** Called when the reader goes away; closes what was opened and not read. */
  readonly abandon: () => Promise<void>;
  /** Checked at the end; undefined for a part of a blob. */
  readonly digest: string | undefined;
  readonly where: string;
  /** Connections that may break before the stream gives up. */
  readonly resumes: number;
  /** Waited before each resume. */
  readonly pause: (attempt: number) => Promise<void>;
}

/**
 * A blob's bytes. A connection that breaks is opened again where it broke; the whole is checked against the
 * digest, and a reader that reaches the end without an error has the right bytes.
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
    // Nothing is read ahead of the consumer: memory stays at one chunk.
    { highWaterMark: 0 },
  );
}

async function* read({
  open,
  digest,
  where,
  resumes,
  pause,
}: BlobStreamOptions): AsyncGenerator<Uint8Array, void, undefined> {
  const digester = digest === undefined ? undefined : digesterFor(digest);
  let position = 0;
  for (let attempt = 0; ; attempt++) {
    try {
      const { chunks, offset } = await open(position);
      let skip = position - offset;
      for await (const chunk of chunks) {
        const fresh = skip >= chunk.length ? undefined : chunk.subarray(skip);
        skip = Math.max(0, skip - chunk.length);
        if (fresh === undefined) continue;
        digester?.update(fresh);
        position += fresh.length;
        yield fresh;
      }
      break;
    } catch (error) {
      if (!isTgoError(error) || error.code !== "UNAVAILABLE" || attempt >= resumes) throw error;
      await pause(attempt + 1);
    }
  }
  const actual = digester?.digest();
  if (actual !== undefined && actual !== digest) {
    throw new TgoError("INVALID_RESPONSE", `the blob's bytes have the digest ${actual}`, {
      where,
      remedy:
        "The registry, or a proxy before it, sent other bytes than were asked for. Run the same command again.",
    });
  }
}
