import { HOST_PATH } from "../host-process.js";
import { seccompFilter } from "./seccomp.js";

/** The parts of an OCI runtime configuration that depend on the command. */
export interface SpecRequest {
  /** The root file system. */
  readonly root: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly mounts: readonly SpecMount[];
  /** Whether this kernel has cgroup namespaces. */
  readonly cgroupNamespace: boolean;
  /** A network namespace's path; undefined: the runtime's own namespace. */
  readonly network?: string;
}

export interface SpecMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

/**
 * Docker's default capabilities. CAP_NET_RAW is only in the bounding set, so that programs with this file capability start:
 * it makes packets whose addresses no route has checked, and slirp4netns would send them to this machine's loopback. Ping
 * does without (`ping_group_range`).
 */
const CAPABILITIES = [
  ..."CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW SYS_CHROOT".split(
    " ",
  ),
  ..."MKNOD AUDIT_WRITE SETFCAP".split(" "),
].map((name) => `CAP_${name}`);

/** Devices that the runtime makes in /dev (null, zero, full, random, urandom, tty), as mknod(2) takes their numbers. */
const DEVICES = [0x103, 0x105, 0x107, 0x108, 0x109, 0x500];

/** Paths of the kernel's interfaces that runc and Docker hide, or show read-only. */
const MASKED = [
  ..."acpi asound interrupts kcore keys latency_stats sched_debug scsi timer_list timer_stats"
    .split(" ")
    .map((name) => `/proc/${name}`),
  ...["/sys/firmware", "/sys/devices/virtual/powercap"],
];
const READ_ONLY = "bus fs irq sys sysrq-trigger".split(" ").map((name) => `/proc/${name}`);

/** What every command finds below /proc, /sys and /dev. */
const KERNEL_MOUNTS: readonly SpecMount[] = [
  kernelMount("/proc", "proc", ["nosuid", "noexec", "nodev"]),
  // Devices work on this mount only: every other one has the option nodev.
  kernelMount("/dev", "tmpfs", ["nosuid", "noexec", "strictatime", "mode=755", "size=65536k"]),
  kernelMount("/dev/pts", "devpts", [
    ...["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
  ]),
  kernelMount("/dev/shm", "tmpfs", ["nosuid", "nodev", "noexec", "mode=1777"]),
  kernelMount("/dev/mqueue", "mqueue", ["nosuid", "noexec", "nodev"]),
  kernelMount("/sys", "sysfs", ["nosuid", "noexec", "nodev", "ro"]),
];

function kernelMount(destination: string, type: string, options: readonly string[]): SpecMount {
  return { destination, type, source: type, options };
}

/**
 * The OCI runtime configuration of a command: what Docker's default gives it, with no-new-privileges. The mode of new files
 * does not depend on this machine: the umask is 022.
 * @see https://github.com/opencontainers/runtime-spec/blob/main/config.md
 */
export function containerSpec(request: SpecRequest): object {
  const { uid, gid, groups, cgroupNamespace, network } = request;
  // Another user than root starts without capabilities, as in Docker.
  const held = uid === 0 ? CAPABILITIES.filter((name) => name !== "CAP_NET_RAW") : [];
  const namespaces = ["pid", "ipc", "uts", "mount", ...(cgroupNamespace ? ["cgroup"] : [])];
  return {
    ociVersion: "1.0.2",
    hostname: "engine",
    root: { path: request.root },
    process: {
      ...{ args: request.args, env: request.env, cwd: request.cwd },
      user: { uid, gid, additionalGids: groups, umask: 0o022 },
      capabilities: {
        bounding: CAPABILITIES,
        effective: held,
        permitted: held,
        inheritable: [],
        ambient: [],
      },
      noNewPrivileges: true,
    },
    mounts: [...KERNEL_MOUNTS, ...request.mounts],
    hooks: { createContainer: [withoutDevices(request.root)] },
    linux: {
      namespaces: [
        ...namespaces.map((type) => ({ type })),
        ...(network === undefined ? [] : [{ type: "network", path: network }]),
      ],
      maskedPaths: MASKED,
      readonlyPaths: READ_ONLY,
      seccomp: seccompFilter(DEVICES),
    },
  };
}

/**
 * Gives the root the option nodev, so that device nodes of an image are only files. The runtime clears the option when it
 * binds the root, so this is done when all mounts are made, and before the root becomes the container's. The runtime writes
 * the container's state to a hook, and fails if nobody reads it.
 */
function withoutDevices(root: string): object {
  const script = 'while read -r _; do :; done; exec mount -o remount,bind,nodev "$0"';
  return { path: "/bin/sh", args: ["sh", "-c", script, root], env: [`PATH=${HOST_PATH}`] };
}
