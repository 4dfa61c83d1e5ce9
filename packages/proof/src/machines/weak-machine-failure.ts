import { processorOf, type Machine, type Platform } from "@tgo/catalog";
import { detailsOf, isTgoError, TgoError } from "@tgo/errors";
import { TimedOut } from "../limited-run.js";
import { kibibytes, leaveOut, levelName, machineName } from "./machine-proof.js";
import { QEMU_CPU, QEMU_PAGESIZE, weakestMachine, type Variables } from "./run-machine.js";

/** A smoke run under emulation of the weakest machine. */
export interface WeakRun {
  readonly platform: Platform;
  readonly machines: readonly Machine[];
  /** Variables that make the emulator that machine. */
  readonly env: Variables;
  /** Runs it again with other variables. */
  readonly again: (env: Variables) => Promise<unknown>;
}

/**
 * Why a smoke run failed: runs it again without the variables, then with the processor alone. What fails then too is no
 * fault of the machine. A run that took all its time is not repeated.
 * @param error of the run
 * @returns the error to throw: it names the machines that the image does not run on, if these are the cause
 */
export async function weakMachineFailure(run: WeakRun, error: unknown): Promise<unknown> {
  const { platform, machines, env, again } = run;
  if (Object.keys(env).length === 0 || !isTgoError(error) || error.code !== "SMOKE") return error;
  if (error.cause instanceof TimedOut) return error;
  const plain = await failureOf(again({}));
  if (plain !== undefined) return plain;
  const { [QEMU_CPU]: cpu, [QEMU_PAGESIZE]: pages } = env;
  const isProcessor =
    cpu !== undefined && (pages === undefined || (await failureOf(again({ [QEMU_CPU]: cpu }))) !== undefined);
  const weakest = weakestMachine(platform, machines);
  const { level = 0, pageSize = 0 } = weakest ?? {};
  const affected = machines.filter((machine) =>
    isProcessor ? processorOf(platform, machine).level === level : machine.pageSize === pageSize,
  );
  const names = affected.map(machineName).join(", ");
  const cause = isProcessor
    ? `it uses instructions that ${levelName(platform, level)} lacks`
    : `it does not run with pages of ${kibibytes(pageSize)}`;
  const remedy = isProcessor ? processorRemedy(platform) : PAGES_REMEDY;
  return new TgoError("SMOKE", `does not run on ${names}: ${cause}. ${error.what}`, {
    ...detailsOf(error),
    remedy: `${remedy}\n${leaveOut(platform, affected)}`,
    cause: error,
  });
}

function processorRemedy(platform: Platform): string {
  return platform === "linux/arm64"
    ? "Use a build for Armv8.0 of the program or package above: compilers make one with -march=armv8-a, which finds out about LSE (-moutline-atomics) as it runs."
    : "Use a build for the baseline of the program or package above: compilers make one with -march=x86-64-v2.";
}

const PAGES_REMEDY =
  "Use a build of the program or package above for larger pages: linkers make one with -z max-page-size=65536, jemalloc with --with-lg-page=16.";

async function failureOf(run: Promise<unknown>): Promise<unknown> {
  try {
    await run;
    return undefined;
  } catch (error) {
    return error;
  }
}
