/** Reads a byte stream in pieces of any size; keeps no more than one chunk. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** @throws Error when the stream ends before */
  async read(size: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let missing = size; missing > 0; missing -= parts.at(-1)?.length ?? 0)
      parts.push((await this.#next(missing)) ?? truncated());
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }

  /** As {@link read}; undefined when the stream has ended. */
  async readBlock(size: number): Promise<Buffer | undefined> {
    return (await this.#fill()) ? this.read(size) : undefined;
  }

  /** @throws Error when the stream ends before */
  async skip(size: number): Promise<void> {
    for (let missing = size; missing > 0;) missing -= ((await this.#next(missing)) ?? truncated()).length;
  }

  async skipAll(): Promise<void> {
    while (await this.#fill()) this.#rest = Buffer.alloc(0);
  }

  /** At least one byte and at most `size`; undefined at the end of the stream. */
  async #next(size: number): Promise<Buffer | undefined> {
    if (!(await this.#fill())) return undefined;
    const taken = this.#rest.subarray(0, size);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }

  /** False at the end of the stream. */
  async #fill(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) return false;
      const { buffer, byteOffset, byteLength } = next.value;
      this.#rest = Buffer.from(buffer, byteOffset, byteLength);
    }
    return true;
  }
}

function truncated(): never {
  throw new Error("the archive is truncated");
}
