import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Context } from "../context.js";
import { runHostCommand, type HostCommandOptions } from "../host-command.js";
import type { Store } from "../store/store.js";
import { authFile, registriesConf, storageConf } from "./buildah-config.js";

/** Runs buildah with these arguments. @returns its standard output */
export type Buildah = (
  args: readonly string[],
  options?: Pick<HostCommandOptions, "env" | "onLine">,
) => Promise<string>;

/**
 * Lends buildah with a configuration, credentials and a storage of the engine's own: the files of the machine and of the
 * caller that it would read otherwise (containers.conf, storage.conf, registries.conf, Docker's config.json) do not count.
 * @param names text with the names of all images it will pull
 * @param work a work folder, relative to the store's home
 */
export async function withBuildah<T>(
  { store, settings }: Context,
  { names, work }: { readonly names: string; readonly work: string },
  use: (buildah: Buildah) => Promise<T>,
): Promise<T> {
  const folder = store.path(work, "buildah");
  await mkdir(folder);
  // Credentials are kept in memory only.
  const memory = await mkdtemp("/dev/shm/tgo-engine-");
  const files = {
    CONTAINERS_CONF: join(folder, "containers.conf"),
    CONTAINERS_REGISTRIES_CONF: join(folder, "registries.conf"),
    CONTAINERS_STORAGE_CONF: join(folder, "storage.conf"),
    REGISTRY_AUTH_FILE: join(memory, "auth.json"),
  };
  try {
    await writeFile(files.CONTAINERS_CONF, "");
    await writeFile(files.CONTAINERS_REGISTRIES_CONF, registriesConf(settings.mirrors, names));
    await writeFile(files.CONTAINERS_STORAGE_CONF, await storage(store));
    await writeFile(files.REGISTRY_AUTH_FILE, await authFile(settings, names), { mode: 0o600 });
    const { caBundle, signal } = settings;
    const env = {
      ...files,
      HOME: folder,
      TMPDIR: folder,
      ...(caBundle === undefined ? {} : { SSL_CERT_FILE: caBundle }),
    };
    return await use((args, options = {}) =>
      runHostCommand(["buildah", ...args], {
        privateMounts: true,
        cwd: folder,
        signal,
        ...options,
        env: { ...env, ...options.env },
      }),
    );
  } finally {
    await rm(memory, { recursive: true });
  }
}

/** The storage's settings. What it knows about mounts must not survive a restart of the machine. */
async function storage(store: Store): Promise<string> {
  const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
  return storageConf(store.path("containers/root"), store.path("containers", boot));
}
