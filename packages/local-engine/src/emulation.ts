import { readFileSync, readdirSync } from "node:fs";
import { TgoError } from "@tgo/errors";
import type { Platform } from "./images/image.js";

/** QEMU's name for an architecture, and its ELF type and machine fields as the kernel prints them. */
const MACHINES: Readonly<Record<string, { readonly qemu: string; readonly elf: string }>> = {
  amd64: { qemu: "x86_64", elf: "02003e00" },
  arm64: { qemu: "aarch64", elf: "0200b700" },
};

/** This machine's platform. */
export function hostPlatform(): Platform {
  return `linux/${process.arch === "x64" ? "amd64" : process.arch}`;
}

const BINFMT = "/proc/sys/fs/binfmt_misc";

/**
 * Checks whether a platform's programs run here. The interpreter must be loaded at its registration (flag F), because its
 * path does not exist inside an image.
 * @returns the problem, with the commands that solve it; undefined if there is none
 */
export function emulationProblem(platform: Platform): TgoError | undefined {
  if (platform.split("/").slice(0, 2).join("/") === hostPlatform()) return undefined;
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
