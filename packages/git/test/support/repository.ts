import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { TemporaryFolders, type CheckoutOptions } from "../../src/index.js";

/** A folder for one test, with repositories that git itself makes. */
export class Place {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "tgo-git-test-")));
  readonly folders = new TemporaryFolders();

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  file(path: string, content: string | Uint8Array, mode = 0o644): string {
    const full = this.path(path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, content);
    chmodSync(full, mode);
    return full;
  }

  git(folder: string, ...args: string[]): string {
    return gitIn(this.path(folder), args);
  }

  /** A repository with these files in one commit. @returns the commit */
  repository(
    folder: string,
    files: Readonly<Record<string, string | Uint8Array>>,
    ...init: string[]
  ): string {
    mkdirSync(this.path(folder), { recursive: true });
    this.git(folder, "init", "-q", ...init);
    for (const [path, content] of Object.entries(files)) this.file(`${folder}/${path}`, content);
    return this.commit(folder);
  }

  /** @returns the commit of everything in the folder */
  commit(folder: string): string {
    this.git(folder, "add", "-A");
    this.git(folder, "commit", "-q", "--allow-empty", "-m", "m");
    return this.git(folder, "rev-parse", "HEAD");
  }

  /** A program that leaves a mark when it runs. */
  trap(): string {
    return this.file("trap", `#!/bin/sh\necho "$0 $*" >> "${this.path("marker")}"\nexit 1\n`, 0o755);
  }

  /** Whether the trap has run since the last look. */
  isMarked(): boolean {
    const marked = existsSync(this.path("marker"));
    rmSync(this.path("marker"), { force: true });
    return marked;
  }

  options(folder: string, paths: readonly string[] = [""]): CheckoutOptions {
    return {
      folder: this.path(folder),
      paths,
      skip: new Set([".git", "node_modules"]),
      folders: this.folders,
    };
  }

  async remove(): Promise<void> {
    await this.folders.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const IDENTITY = ["-c", "user.name=n", "-c", "user.email=e@e", "-c", "commit.gpgSign=false"];

export function gitIn(folder: string, args: readonly string[], env: Record<string, string> = {}): string {
  const settings = [...IDENTITY, "-c", "protocol.file.allow=always"];
  return execFileSync("git", ["-C", folder, ...settings, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, ...env },
  }).trim();
}
