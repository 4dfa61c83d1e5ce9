import type { Service } from "@tgo/catalog";
import type { BuildContext, Variant } from "@tgo/builders";
import { emulatorOf } from "./machines/emulator-of.js";
import { machineProofs } from "./machines/machine-proof.js";
import { probeOf, QEMU_CPU, QEMU_PAGESIZE, runMachine, type Variables } from "./machines/run-machine.js";
import { weakMachineFailure } from "./machines/weak-machine-failure.js";
import type { NativeSibling } from "./native-sibling.js";
import type { SmokeResult } from "./smoke-result.js";
import { runSteps, type StepResults } from "./smoke-steps.js";

/**
 * Smoke-tests a variant: its machine, its commands, its imports and its server. Every run has its own network, so nothing
 * else on the same port can respond in its place. Under emulation, the run is of the weakest promised machine.
 * @param sibling the native run of the same image, which tells what does not depend on the machine; without it, all is run
 * @throws TgoError SMOKE with the variant's output
 */
export async function smokeVariant(
  context: BuildContext,
  name: string,
  service: Service,
  variant: Variant,
  sibling?: NativeSibling,
): Promise<SmokeResult> {
  const { platform } = variant;
  const machines = context.catalog.machines[platform];
  const emulated = platform !== context.native;
  const isSet = QEMU_CPU in service.smoke.env || QEMU_PAGESIZE in service.smoke.env;
  const probe = probeOf(context);
  const [seen, emulator] = await Promise.all([
    runMachine(probe, { platform, emulated }, isSet ? [] : machines),
    emulatorOf(probe, platform),
  ]);
  const run = (env: Variables, share: boolean): Promise<StepResults> =>
    runSteps(context, { name, service, variant, env, sibling, share });
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
