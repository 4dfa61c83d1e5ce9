import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Duplex } from "node:stream";
import { makeFolder, writePlainFile } from "../files/plain-modes.js";
import type { User } from "../files/users.js";
import { startHostProcess } from "../host-process.js";
import { overlayOptions, type OverlayChanges } from "../store/overlay-options.js";
import type { Snapshot } from "../store/snapshot.js";
import type { Store } from "../store/store.js";
import { containerSpec, type SpecMount } from "./container-spec.js";

/** A network namespace that a sandbox joins. */
export interface NetworkNamespace {
  /** The process that holds it. */
  readonly pid: number;
  /** Lines for /etc/hosts. */
  readonly hosts: readonly string[];
  /** The content of /etc/resolv.conf; undefined: there are no name servers. */
  readonly resolvConf?: string;
}

/** A file or directory mounted into a sandbox. */
export type Bind = { readonly target: string; readonly file: boolean } & (
  | {
      readonly from: Snapshot;
      readonly path: string;
      /** Where changes go; without it the mount is read-only. */
      readonly changes?: OverlayChanges;
    }
  /** A path of the host. */
  | { readonly host: string; readonly readOnly: boolean }
  | { readonly secret: string; readonly owner?: string; readonly mode?: number }
  | { readonly tmpfs: true }
);

export interface Sandbox {
  readonly snapshot: Snapshot;
  /** A work folder, relative to home, for the sandbox's own files. */
  readonly work: string;
  /** Where changes to the root go. */
  readonly changes: OverlayChanges;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly workdir: string;
  readonly user: User;
  readonly binds: readonly Bind[];
  readonly network: NetworkNamespace;
}

export interface RunningSandbox {
  readonly child: ChildProcess;
  /** Whether the runtime was started; an earlier end is a failure of the sandbox itself. */
  readonly ready: boolean;
  /** The runtime's own errors, once the child has ended; empty when the command was started. */
  readonly runtimeErrors: () => Promise<string>;
}

/**
 * Starts a command in a container of an OCI runtime. The overlay and everything else is mounted in a namespace of the
 * sandbox, so no mount can be left behind. The namespace's first process dies with this one, and takes all its processes
 * with it. Standard output and error are the command's.
 */
export async function startSandbox(store: Store, sandbox: Sandbox): Promise<RunningSandbox> {
  const { work, network } = sandbox;
  await mkdir(store.path(work, "root"));
  await makeStubs(store.path(work, "stub"), sandbox.binds);
  await writePlainFile(store.path(work, "hosts"), hostsFile(network.hosts));
  if (network.resolvConf !== undefined)
    await writePlainFile(store.path(work, "resolv.conf"), network.resolvConf);
  const config = Buffer.from(JSON.stringify(specOf(store, sandbox)));
  await writeFile(store.path(work, "run.sh"), script(sandbox, config.length));
  const child = startHostProcess(
    [
      // Node connects a child through sockets, but programs reopen /dev/stdout and /dev/stderr, which only pipes allow.
      ...["bash", "--norc", "-c", `exec "$@" > >(exec cat 3<&-) 2> >(exec cat >&2 3<&-)`, "sandbox"],
      ...["nsenter", `--net=/proc/${network.pid}/ns/net`],
      ..."unshare --mount --propagation private --pid --fork --kill-child".split(" "),
      ...["bash", "--norc", `${work}/run.sh`],
    ],
    { cwd: store.home, stdio: ["ignore", "pipe", "pipe", "pipe"], detached: true },
  );
  // The environment and secrets go through a pipe: never on a command line or on disk.
  const pipe = child.stdio[3] as Duplex;
  pipe.on("error", () => undefined);
  const secrets = sandbox.binds.flatMap((bind) => ("secret" in bind ? [Buffer.from(bind.secret)] : []));
  pipe.end(Buffer.concat([config, ...secrets]));
  const log = store.path(work, "runtime.log");
  const runtimeErrors = async (): Promise<string> => (existsSync(log) ? readFile(log, "utf8") : "");
  const running = { child, ready: false, runtimeErrors };
  pipe.on("data", () => (running.ready = true));
  return running;
}

/** Makes mount points in a stub layer below all others, so that they never become part of a layer. */
async function makeStubs(stub: string, binds: readonly Bind[]): Promise<void> {
  const folders = ["/proc", "/sys", "/dev"].map((target) => ({ target, file: false }));
  const files = ["/etc/resolv.conf", "/etc/hosts"].map((target) => ({ target, file: true }));
  for (const { target, file } of [...folders, ...files, ...binds]) {
    await makeFolder(join(stub, file ? dirname(target) : target));
    if (file) await writePlainFile(join(stub, target), "");
  }
}

/** An /etc/hosts with these lines. */
export function hostsFile(extra: readonly string[]): string {
  return ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback", ...extra, ""].join("\n");
}

function specOf(store: Store, { work, args, env, workdir, user, binds, network }: Sandbox): object {
  const file = (name: string): SpecMount => bindMount(`/etc/${name}`, store.path(work, name), false);
  return containerSpec({
    ...{ root: store.path(work, "root"), args, env, cwd: workdir },
    ...{ uid: user.uid, gid: user.gid, groups: user.groups },
    mounts: [
      file("hosts"),
      ...(network.resolvConf === undefined ? [] : [file("resolv.conf")]),
      ...binds.map((bind, index) => {
        if ("host" in bind) return bindMount(bind.target, bind.host, bind.readOnly);
        if ("tmpfs" in bind)
          return { destination: bind.target, type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev"] };
        const at = store.path(work, MEMORY, String(index));
        if ("secret" in bind) return bindMount(bind.target, at, false);
        return bindMount(bind.target, join(at, bind.path), bind.changes === undefined);
      }),
    ],
    cgroupNamespace: existsSync("/proc/self/ns/cgroup"),
  });
}

function bindMount(destination: string, source: string, readOnly: boolean): SpecMount {
  const options = ["bind", "rprivate", "nodev", ...(readOnly ? ["ro"] : [])];
  return { destination, type: "bind", source, options };
}

/** The folder in the work folder that is kept in memory: the runtime's bundle and state, secrets, mounted trees. */
const MEMORY = "m";

/** The script of the namespace's first process; its working directory is the store's home. */
function script({ snapshot, work, changes, binds }: Sandbox, configBytes: number): string {
  const lines = [
    "set -eu",
    `W=${quote(work)} M=${quote(`${work}/${MEMORY}`)}`,
    // The runtime reads both: its own processes in the one, and the layout of the host's cgroups, of which it uses none, in
    // the other. It does not start where cgroup versions are mixed.
    `mount -t proc proc /proc`,
    `[ ! -d /sys/fs/cgroup ] || mount -t tmpfs tmpfs /sys/fs/cgroup`,
    `mount -t overlay overlay -o ${quote(overlayOptions(snapshot, changes, `${work}/stub`))} "$W/root"`,
    `mkdir "$M"; mount -t tmpfs -o mode=700 tmpfs "$M"`,
    // The pipe holds the configuration and then the secrets, without separators.
    `head -c ${configBytes} <&3 >"$M/config.json"`,
    ...binds.flatMap((bind, index) => sourceLines(bind, `"$M/${index}"`)),
    // Back through the pipe: from here on, a failure is the runtime's, which has a log for it, or the command's own.
    `echo ready >&3; exec 3>&-`,
    // The runtime works in its bundle's folder.
    `exec crun --cgroup-manager=disabled --root "$PWD/$M/state" --log "$PWD/$W/runtime.log" run --bundle "$PWD/$M" step`,
  ];
  return lines.join("\n");
}

/** Makes what a bind mounts, at a path in the memory folder. */
function sourceLines(bind: Bind, at: string): string[] {
  if ("host" in bind || "tmpfs" in bind) return [];
  if ("secret" in bind) {
    const { secret, owner = "0:0", mode = 0o400 } = bind;
    return [
      `head -c ${Buffer.byteLength(secret)} <&3 >${at}; chown ${owner} ${at}; chmod ${mode.toString(8)} ${at}`,
    ];
  }
  const options = quote(overlayOptions(bind.from, bind.changes));
  return [`mkdir ${at}; mount -t overlay overlay -o ${options} ${at}`];
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Kills the sandbox and everything in it. */
export function killSandbox({ child }: RunningSandbox): void {
  child.kill("SIGKILL");
}
