import { posix } from "node:path";
import { StreamedElf } from "../elf/streamed-elf.js";
import type { ElfFacts } from "../elf/elf-facts.js";
import { readElfFacts } from "../elf/read-elf-facts.js";
import { isAmongModules } from "../link/roots.js";
import { isLoaderFile, MAX_LOADER_FILE } from "../link/loader-files.js";
import { MAX_PACKAGE_FILE_BYTES, packageFileKind } from "../packages/package-files.js";
import { readPackageJson } from "../packages/node.js";
import type { ContentScan } from "./tar-reader.js";

/** What is kept of a regular file's content: plain data. */
export interface FileFacts {
  /** In bytes. */
  readonly size: number;
  /** Of an ELF file. */
  readonly elf?: ElfFacts;
  /**
   * Of a file that says something about others: where loaders look, what packages installed. Its bytes, as characters
   * 0 to 255. Of a package.json only its name, version and licence.
   */
  readonly content?: string;
}

/**
 * Looks at a regular file while its bytes pass: the one place that decides which bytes of which files are looked at.
 * Memory is bounded by what it keeps until the file ends.
 */
export class FileScan implements ContentScan<FileFacts> {
  readonly #path: string;
  readonly #isKept: boolean;
  readonly #elf: StreamedElf;
  readonly #parts: string[] = [];

  /** @param path as in the archive @param size in bytes */
  constructor(
    path: string,
    private readonly size: number,
  ) {
    this.#path = posix.join("/", path);
    this.#isKept =
      (size <= MAX_LOADER_FILE && isLoaderFile(this.#path)) ||
      (size <= MAX_PACKAGE_FILE_BYTES && packageFileKind(this.#path) !== undefined);
    this.#elf = new StreamedElf(size);
  }

  add(bytes: Buffer): boolean {
    if (this.#isKept) {
      this.#parts.push(bytes.toString("latin1"));
      return true;
    }
    this.#elf.push(bytes);
    return this.#elf.wanted;
  }

  facts(): FileFacts | undefined {
    if (this.#isKept) return { size: this.size, content: shortened(this.#path, this.#parts.join("")) };
    const elf = readElfFacts(this.#elf, { symbols: isAmongModules(this.#path) });
    return elf === undefined ? undefined : { size: this.size, elf };
  }
}

/** An image may have tens of thousands of package.json, and they are long. */
function shortened(path: string, content: string): string {
  if (packageFileKind(path) !== "node package") return content;
  const found = readPackageJson(Buffer.from(content, "latin1").toString("utf8"), posix.dirname(path));
  if (found === undefined) return "";
  const { name, version, licenses } = found;
  return Buffer.from(JSON.stringify({ name, version, licenses })).toString("latin1");
}
