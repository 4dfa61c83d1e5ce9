import type { Platform, Service } from "@tgo/catalog";
import type { BuildContext, Variant } from "@tgo/builders";
import { emulatorOf } from "./machines/emulator-of.js";
import { machineProofs } from "./machines/machine-proof.js";
import {
  probeOf,
  QEMU_CPU,
  QEMU_PAGESIZE,
  runMachine,
  type RunMachine,
  type Variables,
} from "./machines/run-machine.js";
import { weakMachineFailure } from "./machines/weak-machine-failure.js";
import type { NativeSibling } from "./native-sibling.js";
import type { SmokeResult } from "./smoke-result.js";
import { runSteps, type StepResults } from "./smoke-steps.js";

export interface SmokeOptions {
  /** The native run of the same image, which tells what does not depend on the machine; without it, all is run. */
  readonly sibling?: NativeSibling | undefined;
  /** The check of its files, if that is still going on: its failure stops the run. */
  readonly checking?: Promise<unknown> | undefined;
}

/**
 * The machine and the emulator of a platform's runs. An engine is asked once: during a build, this makes the answer ready.
 */
export function askMachine(
  context: BuildContext,
  service: Service,
  platform: Platform,
): Promise<[RunMachine, string | undefined]> {
  const emulated = platform !== context.native;
  const machines = setsMachine(service) ? [] : context.catalog.machines[platform];
  const probe = probeOf(context);
  return Promise.all([runMachine(probe, { platform, emulated }, machines), emulatorOf(probe, platform)]);
}

function setsMachine({ smoke }: Service): boolean {
  return QEMU_CPU in smoke.env || QEMU_PAGESIZE in smoke.env;
}

/**
 * Smoke-tests a variant: its machine, its commands, its imports and its server. Every run has its own network, so nothing
 * else on the same port can respond in its place. Under emulation, the run is of the weakest promised machine.
 * @throws TgoError SMOKE with the variant's output
 */
export async function smokeVariant(
  context: BuildContext,
  name: string,
  service: Service,
  variant: Variant,
  { sibling, checking }: SmokeOptions = {},
): Promise<SmokeResult> {
  const { platform } = variant;
  const machines = context.catalog.machines[platform];
  const emulated = platform !== context.native;
  const isSet = setsMachine(service);
  const [seen, emulator] = await askMachine(context, service, platform);
  const run = (env: Variables, share: boolean): Promise<StepResults> =>
    runSteps(context, { name, service, variant, env, sibling, checking, share });
  try {
    const result = await run(seen.env, true);
    const known = isSet ? { env: {}, seen: undefined, limit: "smoke.env sets the emulator's machine" } : seen;
    return {
      ...result,
      native: !emulated && emulator === undefined,
      ...(emulator === undefined ? {} : { emulator }),
      machines: machineProofs(platform, machines, known),
    };
  } catch (error) {
    // A check that fails has the cause, and nothing is run again.
    await checking;
    const again = (env: Variables): Promise<unknown> => {
      context.progress.note(
        { step: "smoke", service: name },
        `${platform}: failed, run again to find out why`,
      );
      return run(env, false);
    };
    throw await weakMachineFailure({ platform, machines, env: seen.env, again }, error);
  }
}
