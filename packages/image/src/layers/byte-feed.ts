/**
 * Bytes that arrive in chunks, for a parser that is a generator: it yields where it needs the next chunk. Only what
 * spans chunks is copied, and no more than one chunk is kept.
 */
export class ByteFeed {
  #rest: Buffer = Buffer.alloc(0);
  #ended = false;

  /** The next chunk, once the parser has yielded. Its bytes must not change any more. */
  feed({ buffer, byteOffset, byteLength }: Uint8Array): void {
    this.#rest = Buffer.from(buffer, byteOffset, byteLength);
  }

  end(): void {
    this.#ended = true;
  }

  /** @throws Error when the stream ends before */
  *read(size: number): Parser<Buffer> {
    if (size <= this.#rest.length) return this.#take(size);
    const parts: Buffer[] = [];
    for (let missing = size; missing > 0;) {
      const part = yield* this.#next(missing);
      missing -= part.length;
      parts.push(part);
    }
    return Buffer.concat(parts);
  }

  /** As {@link read}; undefined when the stream has ended. */
  *readBlock(size: number): Parser<Buffer | undefined> {
    return (yield* this.#fill()) ? yield* this.read(size) : undefined;
  }

  /**
   * Shows the next bytes, in pieces of any size, until `look` returns false, and skips the rest of them.
   * @throws Error when the stream ends before
   */
  *pass(size: number, look: (bytes: Buffer) => boolean): Parser<void> {
    let isWanted = true;
    for (let missing = size; missing > 0;) {
      const part = yield* this.#next(missing);
      missing -= part.length;
      if (isWanted) isWanted = look(part);
    }
  }

  /** @throws Error when the stream ends before */
  *skip(size: number): Parser<void> {
    if (size <= this.#rest.length) this.#take(size);
    else yield* this.pass(size, () => false);
  }

  *skipAll(): Parser<void> {
    while (yield* this.#fill()) this.#rest = Buffer.alloc(0);
  }

  /** At least one byte and at most `size`. */
  *#next(size: number): Parser<Buffer> {
    if (!(yield* this.#fill())) throw new Error("the archive is truncated");
    return this.#take(Math.min(size, this.#rest.length));
  }

  /** False at the end of the stream. */
  *#fill(): Parser<boolean> {
    while (this.#rest.length === 0) {
      if (this.#ended) return false;
      yield;
    }
    return true;
  }

  #take(size: number): Buffer {
    const taken = this.#rest.subarray(0, size);
    this.#rest = this.#rest.subarray(size);
    return taken;
  }
}

/** Yields where it needs more bytes. */
export type Parser<T> = Generator<undefined, T, undefined>;
