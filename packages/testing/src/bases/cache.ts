import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, relative } from "node:path";
import { command } from "../command.js";
import type { Log } from "../log.js";
import { startRegistry, type LocalRegistry } from "../registry.js";
import { buildBases } from "./build.js";
import { SOURCE_DATE_EPOCH, findSources, type PackageSources } from "./debian.js";
import { BASES, COMMON_PACKAGES, NODE, SUITE, nameOf } from "./recipe.js";

/** Increase when a change of the builder changes its output; the recipe is part of the key anyway. */
const BUILDER_VERSION = 4;

export interface BasesOptions {
  readonly log?: Log;
  /** Default: `$XDG_CACHE_HOME/tgo/bases`, else `~/.cache/tgo/bases`. */
  readonly cacheDir?: string;
}

/**
 * Builds the stand-in bases unless they are in the cache (about a minute).
 * @returns the storage directory of a registry that has them as `library/python:3.11-slim` and so on
 */
export async function ensureBases({ log = () => undefined, cacheDir }: BasesOptions = {}): Promise<string> {
  const sources = await findSources();
  const cache = cacheDir ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "tgo", "bases");
  const cached = join(cache, recipeKey(sources));
  const storage = join(cached, "registry");
  if (existsSync(storage)) {
    if (await isUnchanged(cached)) return storage;
    log("the stand-ins in the cache are damaged: building them again");
    await rm(cached, { recursive: true });
  }

  await mkdir(cache, { recursive: true });
  await removeAbandoned(cache);
  const work = await mkdtemp(join(cache, `building-${process.pid}-`));
  try {
    log("building stand-ins for python:3.11-slim, node:20-alpine and nginx:alpine from Debian packages");
    const layout = await buildBases(work, sources, log);
    const finished = join(work, "finished");
    const registry = await startRegistry({ auth: "none", storage: join(finished, "registry") });
    try {
      for (const recipe of BASES) {
        const to = `docker://${registry.host}/${recipe.repository}:${recipe.tag}`;
        await copy(`oci:${layout.dir}:${nameOf(recipe)}`, to, ["--dest-tls-verify=false"]);
      }
    } finally {
      await registry.stop();
    }
    await writeFile(join(finished, LIST), JSON.stringify(await listFiles(finished)));
    // The first of concurrent builds wins; they built the same.
    await rename(finished, cached).catch((error: unknown) => {
      if (!existsSync(storage)) throw error;
    });
    return storage;
  } finally {
    await rm(work, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Sizes and times of the cached files, so that a damaged one is noticed without reading all of them. */
const LIST = "files.json";

async function listFiles(folder: string): Promise<Record<string, [size: number, mtime: number]>> {
  const entries = await readdir(join(folder, "registry"), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const pairs = files.sort().map(async (file): Promise<[string, [number, number]]> => {
    const { size, mtimeMs } = await stat(file);
    return [relative(folder, file), [size, Math.trunc(mtimeMs)]];
  });
  return Object.fromEntries(await Promise.all(pairs));
}

/** Whether no file was changed since they were made. */
async function isUnchanged(folder: string): Promise<boolean> {
  const list = await readFile(join(folder, LIST), "utf8").catch(() => undefined);
  // Made before there was a list.
  return list === undefined || list === JSON.stringify(await listFiles(folder));
}

/** Removes what a killed build left behind: two gigabytes. */
async function removeAbandoned(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    const builder = /^building-(\d+)-/.exec(name)?.[1];
    if (builder !== undefined && !existsSync(`/proc/${builder}`)) {
      await rm(join(cache, name), { recursive: true, force: true });
    }
  }
}

/** Starts a read-only registry that serves the stand-ins from the cache, as a mirror of docker.io would. */
export async function startBaseMirror(options: BasesOptions = {}): Promise<LocalRegistry> {
  return startRegistry({ auth: "none", readOnly: true, storage: await ensureBases(options) });
}

/** Copies the stand-ins to another registry, under their names on Docker Hub. */
export async function pushBases(
  registry: Pick<LocalRegistry, "host" | "username" | "password">,
  options: BasesOptions = {},
): Promise<void> {
  const { log = () => undefined } = options;
  const mirror = await startBaseMirror(options);
  try {
    const { host, username, password } = registry;
    const login = username === undefined ? [] : ["--dest-creds", `${username}:${password ?? ""}`];
    for (const { repository, tag } of BASES) {
      const start = performance.now();
      await copy(`docker://${mirror.host}/${repository}:${tag}`, `docker://${host}/${repository}:${tag}`, [
        "--src-tls-verify=false",
        "--dest-tls-verify=false",
        ...login,
      ]);
      log(`pushed ${repository}:${tag} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
    }
  } finally {
    await mirror.stop();
  }
}

async function copy(from: string, to: string, flags: readonly string[]): Promise<void> {
  await command("skopeo", ["copy", "--quiet", "--all", "--preserve-digests", ...flags, from, to]);
}

function recipeKey(sources: PackageSources): string {
  const recipe = { BUILDER_VERSION, SUITE, COMMON_PACKAGES, NODE, BASES, SOURCE_DATE_EPOCH, sources };
  return createHash("sha256").update(JSON.stringify(recipe)).digest("hex").slice(0, 16);
}
