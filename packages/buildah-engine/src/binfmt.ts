import { readFileSync, readdirSync } from "node:fs";
import { TgoError } from "@tgo/errors";
import type { Platform } from "./state.js";

const MACHINES: Readonly<Record<string, string>> = {
  amd64: "x86_64",
  arm64: "aarch64",
  arm: "arm",
  ppc64le: "ppc64le",
  s390x: "s390x",
  riscv64: "riscv64",
  "386": "i386",
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
  const machine = MACHINES[architecture] ?? architecture;
  const enabled = entries().some(
    (text) =>
      text.startsWith("enabled") &&
      new RegExp(`interpreter .*qemu-${machine}`).test(text) &&
      /flags:.*F/.test(text),
  );
  if (enabled) return undefined;
  return new TgoError(
    "ENVIRONMENT",
    `this machine cannot run ${platform} programs: no emulation is registered`,
    {
      remedy:
        "apt-get install -y qemu-user-static binfmt-support\n" +
        `mountpoint -q ${BINFMT} || mount -t binfmt_misc binfmt_misc ${BINFMT}\n` +
        `update-binfmts --enable qemu-${machine}`,
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
