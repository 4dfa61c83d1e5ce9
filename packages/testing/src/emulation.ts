import { existsSync } from "node:fs";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TgoError } from "@tgo/errors";
import { nativeAndForeign } from "./bases/architecture.js";
import { command } from "./command.js";

/** https://docs.kernel.org/admin-guide/binfmt-misc.html */
const BINFMT = "/proc/sys/fs/binfmt_misc";

interface Handler {
  readonly name: string;
  readonly interpreter: string;
  /** The ELF type and machine as the kernel shows them in the magic. */
  readonly machine: string;
  /** In the syntax of `register`: the kernel resolves `\x..` itself. */
  readonly magic: string;
  readonly mask: string;
}

const ELF = String.raw`\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00`;
const REST = String.raw`\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff`;

const handlers = {
  arm64: {
    name: "qemu-aarch64",
    interpreter: "/usr/bin/qemu-aarch64-static",
    machine: "0200b700",
    magic: String.raw`${ELF}\xb7\x00`,
    mask: String.raw`\xff\xff\xff\xff\xff\xff\xff\x00${REST}`,
  },
  amd64: {
    name: "qemu-x86_64",
    interpreter: "/usr/bin/qemu-x86_64-static",
    machine: "02003e00",
    magic: String.raw`${ELF}\x3e\x00`,
    mask: String.raw`\xff\xff\xff\xff\xff\xfe\xfe\xfc${REST}`,
  },
} as const satisfies Record<string, Handler>;

export function foreignHandler(machine?: string): Handler {
  return handlers[nativeAndForeign(machine).foreign.name];
}

/**
 * Whether this kernel runs programs of the other architecture in any root: an enabled handler matches its ELF machine
 * and keeps its interpreter open (flag F), so that the image need not contain the interpreter.
 */
export async function emulationWorks({ machine }: Handler, directory = BINFMT): Promise<boolean> {
  const names = await readdir(directory).catch(() => []);
  for (const name of names) {
    if (name === "register" || name === "status") continue;
    const text = await readFile(join(directory, name), "utf8").catch(() => "");
    const flags = /^flags: (.*)$/m.exec(text)?.[1] ?? "";
    if (text.startsWith("enabled") && flags.includes("F") && text.includes(machine)) return true;
  }
  return false;
}

/**
 * Registers the static QEMU with the kernel, as systemd-binfmt or binfmt-support would, for machines that have neither.
 * Does nothing when there is a handler already.
 */
export async function registerEmulation(handler: Handler): Promise<void> {
  const { name, interpreter, magic, mask } = handler;
  try {
    if (!existsSync(join(BINFMT, "register"))) {
      await command("mount", ["-t", "binfmt_misc", "binfmt_misc", BINFMT]);
      // Only the mount was missing: a container shares its host's handlers.
      if (await emulationWorks(handler)) return;
    }
    // Replace a handler of this name that is disabled or lacks flag F.
    if (existsSync(join(BINFMT, name))) await writeFile(join(BINFMT, name), "-1");
    await writeFile(join(BINFMT, "register"), `:${name}:M::${magic}:${mask}:${interpreter}:OCF`);
  } catch (cause) {
    throw new TgoError("ENVIRONMENT", `this kernel refuses to register ${name} for emulation`, {
      where: BINFMT,
      remedy:
        "Run as root on the machine itself. Inside a container, register it on the container's host:\n" +
        "docker run --privileged --rm tonistiigi/binfmt --install all",
      cause,
    });
  }
}
