import type { Platform } from "@tgo/catalog";
import type { Probe } from "./run-machine.js";

/** QEMU's user mode prints its version and ends, where this is set: https://www.qemu.org/docs/master/user/main.html */
const QEMU_VERSION = "QEMU_VERSION";

/**
 * The emulator that runs an engine's programs of a platform, such as "QEMU 8.2.2"; undefined where they run natively, or
 * under an emulator that does not say so. Also finds it where the engine's whole machine is emulated, and takes itself for
 * native.
 */
export async function emulatorOf(probe: Probe, platform: Platform): Promise<string | undefined> {
  const { exitCode, stdout = "" } = await probe(platform, { [QEMU_VERSION]: "1" }).catch(() => UNKNOWN);
  // The probe itself never exits with 0.
  if (exitCode !== 0) return undefined;
  const version = /\bversion (\d[\w.]*)/.exec(stdout)?.[1];
  return version === undefined ? "QEMU" : `QEMU ${version}`;
}

const UNKNOWN = { exitCode: -1, stdout: "" };
