import type { Content } from "./http/request.js";

/** Receives how many of the bytes to transfer have been transferred, or were there. */
export type OnBytes = (done: number, total: number) => void;

/** Calls per second are limited: nobody reads more. */
const INTERVAL_MS = 100;

/** Adds up what has been sent of several blobs. A blob that is sent again counts from its beginning. */
export class TransferMeter {
  readonly #done = new Map<string, number>();
  readonly #sizes: Map<string, number>;
  #told = -Infinity;

  /** @param blobs everything that is known to be transferred */
  constructor(
    blobs: readonly { readonly digest: string; readonly size: number }[],
    private readonly onBytes: OnBytes,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#sizes = new Map(blobs.map(({ digest, size }) => [digest, size]));
  }

  /** One more blob: the total grows. */
  add({ digest, size }: { readonly digest: string; readonly size: number }): void {
    this.#sizes.set(digest, size);
  }

  /** The content, counted while it is read. */
  count(digest: string, content: Content): Content {
    return content instanceof Uint8Array ? content : this.countStream(digest, content);
  }

  countStream(digest: string, content: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    this.#done.set(digest, 0);
    const reader = content.getReader();
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const { done, value } = await reader.read();
          if (done) {
            controller.close();
            return;
          }
          this.#done.set(digest, (this.#done.get(digest) ?? 0) + value.length);
          this.#tell();
          controller.enqueue(value);
        },
        cancel: (reason) => reader.cancel(reason),
      },
      { highWaterMark: 0 },
    );
  }

  /** The registry has the blob: sent, mounted, or from before. */
  finish(digest: string, size: number): void {
    this.#done.set(digest, size);
    this.#tell(true);
  }

  #tell(always = false): void {
    const now = this.now();
    if (!always && now - this.#told < INTERVAL_MS) return;
    this.#told = now;
    const [done, total] = [this.#done, this.#sizes].map((sizes) =>
      [...sizes.values()].reduce((sum, each) => sum + each, 0),
    ) as [number, number];
    this.onBytes(Math.min(done, total), total);
  }
}
