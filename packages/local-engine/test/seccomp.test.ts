import { describe, expect, it } from "vitest";
import { seccompFilter } from "../src/exec/seccomp.js";

const NULL_DEVICE = 0x103;

/** What the kernel decides for a call with these arguments: the rule with all conditions met, or the default. */
function decide(name: string, ...given: readonly number[]): "allowed" | "EPERM" | "ENOSYS" {
  const filter = seccompFilter([NULL_DEVICE], "x64");
  const rules = filter.syscalls.filter(
    ({ names, args = [] }) =>
      names.includes(name) &&
      args.every(({ index, value, valueTwo, op }) => {
        const argument = BigInt(given[index] ?? 0);
        return op === "SCMP_CMP_EQ"
          ? argument === BigInt(value)
          : (argument & BigInt(value)) === BigInt(valueTwo ?? 0);
      }),
  );
  const actions = new Set(rules.map(({ action }) => action));
  expect(actions.size, `contradicting rules for ${name}`).toBeLessThan(2);
  if (actions.has("SCMP_ACT_ALLOW")) return "allowed";
  return actions.has("SCMP_ACT_ERRNO") ? "EPERM" : "ENOSYS";
}

describe("the seccomp filter", () => {
  it.each(["read", "execve", "openat2", "fchmodat2", "chroot", "setuid", "ptrace", "arch_prctl"])(
    "allows %s",
    (name) => {
      expect(decide(name)).toBe("allowed");
    },
  );

  it.each([
    "mount",
    "umount2",
    "unshare",
    "setns",
    "keyctl",
    "add_key",
    "bpf",
    "perf_event_open",
    "sethostname",
  ])("refuses %s", (name) => {
    expect(decide(name)).toBe("EPERM");
  });

  it.each([
    "clone3",
    "io_uring_setup",
    "userfaultfd",
    "init_module",
    "kexec_load",
    "open_by_handle_at",
    "iopl",
  ])("hides %s", (name) => {
    expect(decide(name)).toBe("ENOSYS");
  });

  it("lets clone make threads and processes, but no namespaces", () => {
    expect(decide("clone", 0x3d0f00)).toBe("allowed");
    expect(decide("clone", 0x1200011)).toBe("allowed");
    for (const flag of [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000])
      expect(decide("clone", flag + 17)).toBe("EPERM");
  });

  it("lets sockets be of Docker's families", () => {
    const refused = Array.from({ length: 50 }, (_, family) => family).filter(
      (family) => decide("socket", family) !== "allowed",
    );
    expect(refused).toEqual([12, 19, 20, 23, 25, 34, 37, 38, 40, 46, 47, 48, 49]);
  });

  it("lets files, pipes, sockets and the sandbox's own devices be made, but no other device", () => {
    for (const mode of [0o644, 0o100644, 0o010600, 0o140600])
      expect(decide("mknod", 0, mode)).toBe("allowed");
    expect(decide("mknod", 0, 0o020666, NULL_DEVICE)).toBe("allowed");
    expect(decide("mknod", 0, 0o020666, 0x10a)).not.toBe("allowed");
    expect(decide("mknod", 0, 0o060660, 0x700)).toBe("EPERM");
    expect(decide("mknodat", 0, 0, 0o060660, NULL_DEVICE)).toBe("EPERM");
  });

  it("knows the architectures of the engine's hosts", () => {
    expect(seccompFilter([], "x64").architectures).toEqual(["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]);
    expect(seccompFilter([], "arm64").architectures).toEqual(["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]);
  });
});
