import { processIdentity } from "@tgo/host";
import { readdirSync, rmSync } from "node:fs";
import { lstat, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PREFIX = "tgo-source-";

/** Folders of one run below the system's temporary folder. Those of killed runs are removed by the next one. */
export class TemporaryFolders {
  readonly #paths: string[] = [];
  readonly #base: string;

  constructor(base = tmpdir()) {
    this.#base = base;
  }

  /** A new, empty folder that only this user can read. */
  async make(): Promise<string> {
    if (this.#paths.length === 0) await this.#removeLeftovers();
    const path = await mkdtemp(join(this.#base, `${PREFIX}${processIdentity(process.pid) ?? process.pid}-`));
    this.#paths.push(path);
    return path;
  }

  async remove(): Promise<void> {
    await Promise.all(this.#paths.splice(0).map((path) => rm(path, { recursive: true, force: true })));
  }

  /** For a process that is about to end. */
  removeNow(): void {
    for (const path of this.#paths.splice(0)) rmSync(path, { recursive: true, force: true });
  }

  async #removeLeftovers(): Promise<void> {
    for (const name of readdirSync(this.#base)) {
      const [, maker] = /^tgo-source-(\d+\.\d+)-/.exec(name) ?? [];
      if (maker === undefined || processIdentity(Number.parseInt(maker, 10)) === maker) continue;
      const path = join(this.#base, name);
      const { uid } = await lstat(path).catch(() => ({ uid: -1 }));
      if (uid === process.getuid?.()) await rm(path, { recursive: true, force: true });
    }
  }
}
