import { existsSync, readFileSync, readdirSync } from "node:fs";
import { TgoError } from "@tgo/errors";
import type { Platform } from "./images/image.js";
import type { Settings } from "./settings.js";

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
 * @param folder where binfmt_misc is mounted
 * @returns the problem, with the commands that solve it; undefined if there is none
 */
export function emulationProblem(platform: Platform, folder = BINFMT): TgoError | undefined {
  if (platform.split("/").slice(0, 2).join("/") === hostPlatform()) return undefined;
  const architecture = platform.split("/")[1] ?? platform;
  const { qemu, elf } = MACHINES[architecture] ?? { qemu: architecture, elf: architecture };
  // Entries say "enabled" all the same.
  if (existsSync(`${folder}/status`) && readFileSync(`${folder}/status`, "utf8").startsWith("disabled"))
    return new TgoError(
      "ENVIRONMENT",
      `this machine cannot run ${platform} programs: all emulators are disabled`,
      { where: `${folder}/status`, remedy: `echo 1 > ${folder}/status` },
    );
  const enabled = entries(folder).some(
    (text) => text.startsWith("enabled") && /^flags:.*F/m.test(text) && text.includes(elf),
  );
  if (enabled) return undefined;
  const without = entries(folder).find((text) => text.startsWith("enabled") && text.includes(elf));
  if (without !== undefined)
    return new TgoError(
      "ENVIRONMENT",
      `this machine cannot run ${platform} programs in images: its emulator is registered without the flag F, so the kernel looks for it inside the image`,
      {
        where: interpreterOf(without) ?? folder,
        remedy:
          `update-binfmts --disable qemu-${qemu}\n` +
          "apt-get install -y --reinstall qemu-user-static binfmt-support\n" +
          `update-binfmts --enable qemu-${qemu}`,
      },
    );
  const mount = `mountpoint -q ${folder} || mount -t binfmt_misc binfmt_misc ${folder}`;
  // Registrations stay in the kernel when only their file system is not mounted.
  if (!existsSync(`${folder}/status`))
    return new TgoError(
      "ENVIRONMENT",
      `whether this machine can run ${platform} programs is unknown: binfmt_misc, where the kernel lists its emulators, is not mounted`,
      { where: folder, remedy: mount },
    );
  return new TgoError(
    "ENVIRONMENT",
    `this machine cannot run ${platform} programs: no emulation is registered`,
    {
      remedy:
        "apt-get install -y qemu-user-static binfmt-support\n" +
        `${mount}\n` +
        `update-binfmts --enable qemu-${qemu}`,
    },
  );
}

/**
 * The program that runs a foreign platform's programs here.
 * @returns undefined for this machine's own platform, and if there is none
 */
export function emulatorOf(platform: Platform, folder = BINFMT): string | undefined {
  const { elf } = MACHINES[platform.split("/")[1] ?? ""] ?? { elf: "none" };
  if (platform === hostPlatform()) return undefined;
  const entry = entries(folder).find((text) => text.startsWith("enabled") && text.includes(elf));
  return entry === undefined ? undefined : interpreterOf(entry);
}

function interpreterOf(entry: string): string | undefined {
  return /^interpreter (.+)$/m.exec(entry)?.[1];
}

/** The problem of a program that an engine is to run; undefined if there is none. */
export function runProblem(
  { platform: own, emulates }: Pick<Settings, "platform" | "emulates">,
  platform: Platform,
): TgoError | undefined {
  if (emulates || platform.split("/").slice(0, 2).join("/") === own) return emulationProblem(platform);
  return new TgoError("ENVIRONMENT", `this engine runs no ${platform} programs: it emulates nothing`);
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name !== "register" && name !== "status")
      .map((name) => readFileSync(`${folder}/${name}`, "utf8"));
  } catch {
    return [];
  }
}
