import { existsSync } from "node:fs";
import { join, posix } from "node:path";
import { TgoError } from "@tgo/errors";
import { containerSpec, type SpecMount } from "../exec/container-spec.js";
import { isWithin, type MountTable, type Place } from "./mount-table.js";

/** The parts of a RUN line's configuration that buildah decides. */
export interface BuildahSpec {
  readonly process: {
    readonly args: readonly string[];
    readonly env?: readonly string[];
    readonly cwd: string;
    readonly user: {
      readonly uid: number;
      readonly gid: number;
      readonly additionalGids?: readonly number[];
    };
  };
  readonly root: { readonly path: string };
  readonly mounts?: readonly {
    readonly destination: string;
    readonly type?: string;
    readonly source?: string;
    readonly options?: readonly string[];
  }[];
}

/** What a RUN line may use of this machine; real paths, as buildah sees them. */
export interface RunGrants {
  /** The build's context. */
  readonly context: string;
  /** Folder of buildah's storage. */
  readonly storage: string;
  /** buildah's folder for temporary files, which has its cache mounts. */
  readonly temporary: string;
  readonly caBundle: string | undefined;
  /** Files for /etc. */
  readonly hosts: string;
  readonly resolvConf: string;
  /** The network namespace's path. */
  readonly network: string;
}

/** Mounted by buildah for every RUN line; ours take their place, or none. */
const OWN = ["/etc/hosts", "/etc/resolv.conf", "/etc/hostname", "/run/.containerenv"];
const KERNEL = ["/proc", "/sys", "/dev"];

/**
 * A RUN line's configuration: what every command gets, with the command, user and mounts that buildah found in the
 * Dockerfile. Nothing else that buildah sets counts, whatever flags a Dockerfile has.
 * @param table the mounts as buildah made them for the line
 * @throws TgoError BUILD if a mount leads to files of this machine: buildah follows a symbolic link in the context or in a
 *   stage, and the id of a cache, wherever they lead
 */
export function runSpec(given: BuildahSpec, table: MountTable, grants: RunGrants): object {
  const { args, env = [], cwd, user } = given.process;
  const own = (name: string, source: string): SpecMount => bind(`/etc/${name}`, source, true);
  return containerSpec({
    ...{ root: given.root.path, args, cwd },
    // buildah's random name of the container would be an input of the build.
    env: env.map((item) => (item.startsWith("HOSTNAME=") ? "HOSTNAME=engine" : item)),
    ...{ uid: user.uid, gid: user.gid, groups: user.additionalGids ?? [] },
    mounts: [
      own("hosts", grants.hosts),
      own("resolv.conf", grants.resolvConf),
      ...(given.mounts ?? []).flatMap((mount): SpecMount[] => {
        const destination = posix.resolve("/", mount.destination);
        const isKernel = KERNEL.some((folder) => isWithin(destination, folder));
        if (mount.type === "tmpfs" && !isKernel)
          return [{ destination, type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev"] }];
        if (mount.type !== "bind" || OWN.includes(destination)) return [];
        const source = mount.source ?? "";
        if (isKernel || !isGranted(table, source, grants)) throw outside(destination);
        return [bind(destination, source, (mount.options ?? []).includes("ro"))];
      }),
    ],
    cgroupNamespace: existsSync("/proc/self/ns/cgroup"),
    network: grants.network,
  });
}

function bind(destination: string, source: string, readOnly: boolean): SpecMount {
  const options = ["bind", "rprivate", "nodev", ...(readOnly ? ["ro"] : [])];
  return { destination, type: "bind", source, options };
}

function isGranted(table: MountTable, source: string, { context, storage, temporary, caBundle }: RunGrants) {
  const place = table.locate(source);
  if (place === undefined) return false;
  // Roots of stages and images.
  if (table.overlays(rootsIn(storage)).has(place.device)) return true;
  const within = (folder: Place | undefined): boolean =>
    folder !== undefined && folder.device === place.device && isWithin(place.path, folder.path);
  if (within(table.locate(context))) return true;
  if (caBundle !== undefined && within(table.locate(caBundle))) return true;
  // Secrets: files that buildah makes in memory.
  const memory = table.locate("/dev/shm");
  if (
    within(memory) &&
    /^\/buildah\d+$/.test(place.path.slice(memory?.path === "/" ? 0 : memory?.path.length))
  )
    return true;
  // Volumes of the build's containers.
  const containers = table.locate(join(storage, "overlay-containers"));
  if (within(containers) && /^\/[0-9a-f]+\/userdata\//.test(place.path.slice(containers?.path.length)))
    return true;
  const caches = table.locate(temporary);
  return within(caches) && /^\/buildah-cache[^/]*\/[^/]+/.test(place.path.slice(caches?.path.length));
}

function rootsIn(storage: string): RegExp {
  const folder = storage.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${folder}/overlay/[^/]+/merged$`);
}

function outside(destination: string): TgoError {
  return new TgoError("BUILD", `a RUN line mounts something outside of the build at ${destination}`, {
    remedy:
      "mount a path of the context or of a stage: a symbolic link there must not lead out of it, nor a cache's id out of the caches",
  });
}
