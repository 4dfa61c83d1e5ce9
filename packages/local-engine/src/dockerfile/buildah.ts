import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Context } from "../context.js";
import { findForwards } from "../exec/forwards.js";
import { outsideNetwork } from "../exec/network.js";
import { hostsFile, type NetworkNamespace } from "../exec/sandbox.js";
import type { TgoError } from "@tgo/errors";
import { writePlainFile } from "../files/plain-modes.js";
import { runHostCommand, type HostCommandOptions } from "../host-command.js";
import type { Store } from "../store/store.js";
import { authFile, registriesConf, registryHosts, storageConf } from "./buildah-config.js";
import { createRunRuntime } from "./run-runtime.js";

export interface Buildah {
  /** Runs buildah with these arguments. @returns its standard output */
  readonly run: (
    args: readonly string[],
    options?: Pick<HostCommandOptions, "env" | "onLine">,
  ) => Promise<string>;
  /** The build's context, where buildah sees it: what RUN lines write to it is thrown away. */
  readonly context: string;
  /** Arguments of `bud` that keep RUN lines in a sandbox. */
  readonly isolation: readonly string[];
  /** Why a RUN line was refused. */
  readonly refusal: () => TgoError | undefined;
}

export interface BuildahRequest {
  /** Text with the names of all images it will pull. */
  readonly names: string;
  /** A work folder, relative to the store's home. */
  readonly work: string;
  /** The build's context. */
  readonly context: string;
  /** URLs of the proxies that buildah and RUN lines use. */
  readonly proxies: readonly string[];
}

/**
 * Lends buildah with a configuration, credentials and a storage of the engine's own: the files of the machine and of the
 * caller that it would read otherwise (containers.conf, storage.conf, registries.conf, Docker's config.json) do not count.
 * It reaches the registries and proxies that the build names and other machines, but nothing else of this machine. RUN lines get what
 * every command gets.
 */
export function withBuildah<T>(
  cx: Context,
  request: BuildahRequest,
  use: (buildah: Buildah) => Promise<T>,
): Promise<T> {
  return cx.networks.use(async (runNetwork) => {
    const hosts = registryHosts(cx.settings.mirrors, request.names).map((host) => `https://${host}`);
    const own = await outsideNetwork(await findForwards([...hosts, ...request.proxies]));
    try {
      return await withConfiguration(cx, request, { own, runNetwork }, use);
    } finally {
      own.close();
    }
  }, request.proxies);
}

interface BuildahNetworks {
  /** Of buildah itself: pulls, and ADD of URLs. */
  readonly own: NetworkNamespace;
  /** Of RUN lines. */
  readonly runNetwork: NetworkNamespace;
}

async function withConfiguration<T>(
  { store, settings }: Context,
  { names, work, context }: BuildahRequest,
  networks: BuildahNetworks,
  use: (buildah: Buildah) => Promise<T>,
): Promise<T> {
  const folder = store.path(work, "buildah");
  const at = (name: string): string => store.path(work, name);
  await mkdir(folder);
  for (const name of ["lower", "context", "context.upper", "context.work"]) await mkdir(at(name));
  await writePlainFile(at("own.resolv.conf"), networks.own.resolvConf ?? "");
  await writePlainFile(at("resolv.conf"), networks.runNetwork.resolvConf ?? "");
  await writePlainFile(at("hosts"), hostsFile(networks.runNetwork.hosts));
  await writeFile(at("network"), "");
  await writeFile(at("namespaces.sh"), NAMESPACES);
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
    const runtime = await createRunRuntime(store.path(work), {
      ...{ context: at("context"), storage: store.path("containers/root"), temporary: folder, caBundle },
      ...{ hosts: at("hosts"), resolvConf: at("resolv.conf"), network: at("network") },
    });
    const env = {
      ...files,
      HOME: folder,
      TMPDIR: folder,
      ...(caBundle === undefined ? {} : { SSL_CERT_FILE: caBundle }),
    };
    const namespaces = [
      ...[
        "nsenter",
        `--net=/proc/${networks.own.pid}/ns/net`,
        "unshare",
        "--mount",
        "--propagation",
        "private",
      ],
      ...["bash", "--norc", at("namespaces.sh"), context, String(networks.runNetwork.pid)],
    ];
    return await use({
      run: (args, options = {}) =>
        runHostCommand([...namespaces, "buildah", ...args], {
          cwd: store.path(work),
          signal,
          ...options,
          env: { ...env, ...options.env },
        }),
      context: at("context"),
      isolation: ["--isolation", "oci", "--runtime", runtime.path, "--network", "none"],
      refusal: runtime.refusal,
    }).finally(() => {
      runtime.close();
    });
  } finally {
    await rm(memory, { recursive: true });
  }
}

/** The storage's settings. What it knows about mounts must not survive a restart of the machine. */
async function storage(store: Store): Promise<string> {
  const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
  return storageConf(store.path("containers/root"), store.path("containers", boot));
}

/**
 * Runs a program in mount and pid namespaces of its own, which end with it. Its working directory is the work folder.
 * Arguments: the context, the process that holds the network of RUN lines, the program's command line.
 */
const NAMESPACES = `set -eu
mount --bind "$1" lower
mount -t overlay overlay -o lowerdir=lower,upperdir=context.upper,workdir=context.work,index=off,metacopy=off context
mount --bind "/proc/$2/ns/net" network
[ ! -e /etc/resolv.conf ] || mount --bind own.resolv.conf /etc/resolv.conf
shift 2
exec unshare --pid --fork --kill-child bash --norc -c '
  mount -t proc proc /proc
  [ ! -d /sys/fs/cgroup ] || mount -t tmpfs tmpfs /sys/fs/cgroup
  exec "$@"' - "$@"
`;
