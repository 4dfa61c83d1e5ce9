import type { ChildProcess } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Duplex } from "node:stream";
import { startHostProcess } from "../host-process.js";
import type { User } from "../files/users.js";
import { overlayOptions, type OverlayChanges } from "../store/overlay-options.js";
import type { Snapshot } from "../store/snapshot.js";
import type { Store } from "../store/store.js";

/** A network namespace that a sandbox joins. */
export interface NetworkNamespace {
  /** The process that holds it. */
  readonly pid: number;
  /** Lines for /etc/hosts. */
  readonly hosts: readonly string[];
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
  | { readonly secret: string }
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
  /** Undefined: the host's network. */
  readonly network: NetworkNamespace | undefined;
}

/** Docker's default capabilities. */
const CAPABILITIES =
  "-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+net_raw,+sys_chroot,+mknod,+audit_write,+setfcap";

/**
 * Starts a command in its own namespaces: mounts, processes, host name, IPC. The overlay and everything else is mounted
 * inside, so no mount can be left behind. The namespace's first process dies with this one, and takes all its processes with
 * it. Standard output and error are the command's.
 */
export async function startSandbox(store: Store, sandbox: Sandbox): Promise<RunningSandbox> {
  const { work, network } = sandbox;
  await mkdir(store.path(work, "root"));
  await makeStubs(store.path(work, "stub"), sandbox.binds);
  await writeFile(store.path(work, "hosts"), hostsFile(network?.hosts ?? []));
  await writeFile(store.path(work, "run.sh"), script(sandbox));
  const child = startHostProcess(
    [
      // Node connects a child through sockets, but programs reopen /dev/stdout and /dev/stderr, which only pipes allow.
      ...["bash", "--norc", "-c", `exec "$@" > >(exec cat 3<&-) 2> >(exec cat >&2 3<&-)`, "sandbox"],
      ...(network === undefined ? [] : ["nsenter", `--net=/proc/${network.pid}/ns/net`]),
      ..."unshare --mount --propagation private --pid --fork --kill-child --uts --ipc".split(" "),
      ...["bash", "--norc", `${work}/run.sh`, ...sandbox.args],
    ],
    {
      cwd: store.home,
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      detached: true,
    },
  );
  // Environment and secrets go through a pipe: never on a command line or on disk.
  const secrets = child.stdio[3] as Duplex;
  secrets.on("error", () => undefined);
  const values = sandbox.binds.flatMap((bind) => ("secret" in bind ? [bind.secret] : []));
  const encoded = values.map((value) => Buffer.from(value).toString("base64"));
  secrets.end([...sandbox.env, "", ...encoded].map((item) => `${item}\0`).join(""));
  const running = { child, ready: false };
  secrets.on("data", () => (running.ready = true));
  return running;
}

export interface RunningSandbox {
  readonly child: ChildProcess;
  /** Whether the command was started; an earlier end is a failure of the sandbox itself. */
  readonly ready: boolean;
}

/** Makes mount points in a stub layer below all others, so that they never become part of a layer. */
async function makeStubs(stub: string, binds: readonly Bind[]): Promise<void> {
  const folders = ["/proc", "/sys", "/dev"].map((target) => ({ target, file: false }));
  const files = ["/etc/resolv.conf", "/etc/hosts"].map((target) => ({ target, file: true }));
  for (const { target, file } of [...folders, ...files, ...binds]) {
    await mkdir(join(stub, file ? dirname(target) : target), { recursive: true });
    if (file) await writeFile(join(stub, target), "");
  }
}

function hostsFile(extra: readonly string[]): string {
  return ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback", ...extra, ""].join("\n");
}

/** The script of the namespace's first process; its working directory is the store's home. */
function script({ snapshot, work, changes, workdir, user, binds, network }: Sandbox): string {
  const groups = user.groups.length > 0 ? `--groups=${user.groups.join(",")}` : "--clear-groups";
  // A user other than root needs this one capability to enter the root. Root has it too.
  const ambient = user.uid === 0 ? "" : "--inh-caps=-all,+sys_chroot --ambient-caps=-all,+sys_chroot";
  const lines = [
    "set -eu",
    `W=${quote(work)} R=${quote(`${work}/root`)}`,
    // Makes a mount point that the stub layer cannot provide because a layer above hides it.
    `point() { [ -e "$2" ] && return; mkdir -p "$(dirname "$2")"; if [ "$1" = f ]; then : >"$2"; else mkdir -p "$2"; fi; }`,
    `mount -t overlay overlay -o ${quote(overlayOptions(snapshot, changes, `${work}/stub`))} "$R"`,
    `mount -t proc -o nosuid,noexec,nodev proc "$R/proc"`,
    `mount -t sysfs -o ro,nosuid,noexec,nodev sysfs "$R/sys"`,
    `mount -t tmpfs -o mode=755,nosuid tmpfs "$R/dev"`,
    `cp -a dev/. /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty "$R/dev/"`,
    `mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$R/dev/pts"`,
    `mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$R/dev/shm"`,
    `mount --bind "$W/hosts" "$R/etc/hosts"`,
    ...(network === undefined
      ? [`[ ! -e /etc/resolv.conf ] || mount --bind /etc/resolv.conf "$R/etc/resolv.conf"`]
      : []),
    // The environment comes before the secrets, and an empty item ends it.
    `E=(); while IFS= read -r -d '' item <&3 && [ -n "$item" ]; do E+=("$item"); done`,
    `mkdir "$W/m"; mount -t tmpfs -o mode=700 tmpfs "$W/m"`,
    ...binds.flatMap(bindLines),
    `echo engine >/proc/sys/kernel/hostname`,
    ...(workdir === "/" ? [] : [`mkdir -p "$R"${quote(workdir)} 2>/dev/null || true`]),
    `tools=("$(command -v env)" -u _ "$(command -v setpriv)" "$(command -v unshare)")`,
    // In a subshell: the tools are called by their full paths, because the environment becomes the container's.
    `run() (`,
    `  cd "$R"`,
    `  set -- "\${tools[@]:0:4}" --reuid=${user.uid} --regid=${user.gid} ${groups} --bounding-set=${CAPABILITIES} ${ambient} \\`,
    `    "\${tools[4]}" --root=. --wd=${quote(workdir)} -- "$@"`,
    `  unset LC_ALL TZ PWD OLDPWD SHLVL`,
    `  for item in "\${E[@]}"; do export "$item" 2>/dev/null || true; done`,
    `  exec "$@"`,
    `)`,
    // Like runc: a server that is not root reopens /dev/stdout and /dev/stderr.
    ...(user.uid === 0 ? [] : [`chown ${user.uid} /proc/self/fd/1 /proc/self/fd/2`]),
    // Back through the pipe: from here on, a failure is the command's own.
    `echo ready >&3; exec 3>&-`,
    `run "$@"`,
  ];
  return lines.join("\n");
}

function bindLines(bind: Bind, index: number): string[] {
  const at = `"$W/m/${index}"`;
  const target = `"$R"${quote(bind.target)}`;
  const bindMount = (what: string): string[] => [
    `point ${bind.file ? "f" : "d"} ${target}`,
    `mount --bind ${what} ${target}`,
  ];
  const readOnly = `mount -o remount,bind,ro ${target}`;
  if ("secret" in bind)
    return [
      `IFS= read -r -d '' item <&3`,
      `printf %s "$item" | base64 -d >${at}; chmod 400 ${at}`,
      ...bindMount(at),
    ];
  if ("host" in bind) return [...bindMount(quote(bind.host)), ...(bind.readOnly ? [readOnly] : [])];
  const options = quote(overlayOptions(bind.from, bind.changes));
  return [
    `mkdir ${at}; mount -t overlay overlay -o ${options} ${at}`,
    ...bindMount(`${at}${quote(bind.path)}`),
    ...(bind.changes === undefined ? [readOnly] : []),
  ];
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Kills the sandbox and everything in it. */
export function killSandbox({ child }: RunningSandbox): void {
  child.kill("SIGKILL");
}
