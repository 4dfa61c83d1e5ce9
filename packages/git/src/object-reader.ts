import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { createHash } from "node:crypto";
import { TgoError } from "@tgo/errors";
import { shadowEnvironment, type Repository } from "./repository.js";
import { interrupted, startGit } from "./run-git.js";

export interface GitObject {
  /** Hexadecimal. */
  readonly id: string;
  readonly type: string;
  readonly size: number;
  /** Absent if it is larger than the limit. */
  readonly content?: Buffer;
}

/** Largest commit or tree that is read, in bytes. A tree of 100,000 files has 5 MB. */
export const MAX_TREE = 64 << 20;

/** Reads objects of a repository through one git process. Every object that is returned has been checked by its hash. */
export class ObjectReader {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #repository: Repository;
  #chunks: Buffer[] = [];
  #length = 0;
  #ended: Error | undefined;
  #wake: () => void = () => undefined;

  constructor(repository: Repository) {
    this.#repository = repository;
    this.#child = startGit(["cat-file", "--batch"], {
      folder: repository.shadow,
      env: shadowEnvironment(repository),
      run: repository.run,
    });
    const message: string[] = [];
    this.#child.stderr.on(
      "data",
      (chunk: Buffer) => message.length < 20 && message.push(chunk.toString("utf8")),
    );
    this.#child.stdin.on("error", () => undefined);
    this.#child.stdout.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      // A large object waits until it is read.
      if (this.#length > MAX_TREE) this.#child.stdout.pause();
      this.#wake();
    });
    this.#child.on("error", (error) => {
      this.#end(repository.run.signal?.aborted === true ? interrupted() : error);
    });
    this.#child.on("close", () => {
      this.#end(this.#unreadable(message.join("").split("\n")[0] ?? ""));
    });
  }

  /**
   * @param name an id, or an expression such as `ID^{commit}`
   * @param limit largest content to return
   * @returns undefined if the repository does not have it
   * @throws TgoError SOURCE if its content does not match its id
   */
  async read(name: string, limit = MAX_TREE): Promise<GitObject | undefined> {
    this.#child.stdin.write(`${name}\n`);
    const header = (await this.#line()).split(" ");
    const [id = "", type = "", length = ""] = header;
    if (header.length !== 3 || !/^\d+$/.test(length)) return undefined;
    const size = Number(length);
    if (size > limit) {
      await this.#skip(size + 1);
      return { id, type, size };
    }
    const content = (await this.#take(size + 1)).subarray(0, size);
    if (objectId(this.#repository.format, type, content) !== id)
      throw this.#unreadable(`object ${id} does not match its id`);
    return { id, type, size, content };
  }

  close(): void {
    this.#child.stdin.end();
    this.#child.kill("SIGKILL");
  }

  #unreadable(reason: string): TgoError {
    return new TgoError("SOURCE", `git cannot read the commit: ${reason === "" ? "it ended" : reason}`, {
      where: this.#repository.root,
      remedy: "The repository is damaged: git fsck says where. Clone it again.",
    });
  }

  #end(error: Error): void {
    this.#ended ??= error;
    this.#wake();
  }

  async #line(): Promise<string> {
    for (;;) {
      const text = Buffer.concat(this.#chunks);
      this.#chunks = [text];
      const at = text.indexOf("\n");
      if (at >= 0) return (await this.#take(at + 1)).subarray(0, at).toString("utf8");
      if (text.length > 4096) throw this.#unreadable("unexpected output");
      await this.#more();
    }
  }

  async #take(count: number): Promise<Buffer> {
    while (this.#length < count) await this.#more();
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [all.subarray(count)];
    this.#length -= count;
    return all.subarray(0, count);
  }

  async #skip(count: number): Promise<void> {
    let left = count;
    while (this.#length < left) {
      left -= this.#length;
      this.#chunks = [];
      this.#length = 0;
      await this.#more();
    }
    await this.#take(left);
  }

  async #more(): Promise<void> {
    if (this.#ended !== undefined) throw this.#ended;
    this.#child.stdout.resume();
    const { limitMs = 60_000 } = this.#repository.run;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      this.#wake = resolve;
      timer = setTimeout(() => {
        this.#child.kill("SIGKILL");
        reject(this.#unreadable(`git did not respond within ${limitMs / 1000} s`));
      }, limitMs);
    }).finally(() => {
      clearTimeout(timer);
      this.#wake = () => undefined;
    });
  }
}

/** The id of an object. @see https://git-scm.com/book/en/v2/Git-Internals-Git-Objects */
export function objectId(format: Repository["format"], type: string, content: Uint8Array): string {
  return createHash(format).update(`${type} ${content.length}\0`).update(content).digest("hex");
}
