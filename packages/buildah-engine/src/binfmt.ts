import { readFileSync, readdirSync } from "node:fs";
import { TgoError } from "@tgo/errors";
import type { Platform } from "./state.js";

/** QEMU's name for an architecture, and the type and machine fields of its ELF files as the kernel shows them. */
const MACHINES: Readonly<Record<string, { readonly qemu: string; readonly elf: string }>> = {
  amd64: { qemu: "x86_64", elf: "02003e00" },
  arm64: { qemu: "aarch64", elf: "0200b700" },
  arm: { qemu: "arm", elf: "02002800" },
  ppc64le: { qemu: "ppc64le", elf: "02001500" },
  riscv64: { qemu: "riscv64", elf: "0200f300" },
  s390x: { qemu: "s390x", elf: "00020016" },
};

/** This machine's platform. */
export function hostPlatform(): Platform {
  const architecture = { x64: "amd64", ia32: "386" }[process.arch as string] ?? process.arch;
  return `linux/${architecture}`;
}

const BINFMT = "/proc/sys/fs/binfmt_misc";

/**
 * What is missing to run a platform's programs here. The interpreter must be loaded when it is registered (flag F):
 * inside an image its path does not exist.
 */
export function emulationProblem(platform: Platform): TgoError | undefined {
  if (platform.split("/").slice(0, 2).join("/") === hostPlatform()) return undefined;
  if (platform === "linux/386" && hostPlatform() === "linux/amd64") return undefined;
  const architecture = platform.split("/")[1] ?? platform;
  const { qemu, elf } = MACHINES[architecture] ?? { qemu: architecture, elf: architecture };
  const enabled = entries().some(
    (text) => text.startsWith("enabled") && /^flags:.*F/m.test(text) && text.includes(elf),
  );
  if (enabled) return undefined;
  return new TgoError(
    "ENVIRONMENT",
    `this machine cannot run ${platform} programs: no emulation is registered`,
    {
      remedy:
        "apt-get install -y qemu-user-static binfmt-support\n" +
        `mountpoint -q ${BINFMT} || mount -t binfmt_misc binfmt_misc ${BINFMT}\n` +
        `update-binfmts --enable qemu-${qemu}`,
    },
  );
}

function entries(): string[] {
  try {
    return readdirSync(BINFMT)
      .filter((name) => name !== "register" && name !== "status")
      .map((name) => readFileSync(`${BINFMT}/${name}`, "utf8"));
  } catch {
    return [];
  }
}
