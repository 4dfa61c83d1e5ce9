import type { ContainerWithExecOpts, Platform as DaggerPlatform } from "@dagger.io/dagger";
import { randomUUID } from "node:crypto";
import { errorMessage, toolsContainer, type BuildContext } from "@tgo/builders";
import { processorOf, type Machine, type Platform } from "@tgo/catalog";
import { probeProgram, seenMachine, type SeenMachine } from "./probe-program.js";

/** Variables by which QEMU takes its processor and its page size: https://www.qemu.org/docs/master/user/main.html */
export const QEMU_CPU = "QEMU_CPU";
export const QEMU_PAGESIZE = "QEMU_PAGESIZE";

/** In bytes; what emulators have without a setting. */
const SMALLEST_PAGE = 4096;

export type Variables = Readonly<Record<string, string>>;

/** The machine that a smoke run is of. */
export interface RunMachine {
  /** Variables that make an emulator this machine; none natively. */
  readonly env: Variables;
  /** What programs see; undefined if the probe did not run. */
  readonly seen: SeenMachine | undefined;
  /** Why the emulator is not the weakest machine, if it is not. */
  readonly limit?: string;
}

/** What the weakest of the machines is to an emulator: fewest instructions, largest pages. */
export function weakestMachine(
  platform: Platform,
  machines: readonly Machine[],
): (SeenMachine & { readonly qemu: string }) | undefined {
  const [first, ...others] = machines.map((machine) => processorOf(platform, machine));
  if (first === undefined) return undefined;
  const { level, qemu } = others.reduce((least, each) => (each.level < least.level ? each : least), first);
  return { level, qemu, pageSize: Math.max(...machines.map(({ pageSize }) => pageSize)) };
}

/** Asks an engine's machine, or its emulator with these variables, what programs of a platform see. */
export type Probe = (platform: Platform, env: Variables) => Promise<Answer>;

/**
 * The machine of smoke runs: natively as it is; under emulation the weakest that is promised, as far as the emulator
 * can be it. Never fails: what is not known is not proven.
 */
export async function runMachine(
  probe: Probe,
  { platform, emulated }: { readonly platform: Platform; readonly emulated: boolean },
  machines: readonly Machine[],
): Promise<RunMachine> {
  const ask = async (env: Variables): Promise<{ seen: SeenMachine | undefined; why: string }> => {
    const { exitCode, stderr } = await probe(platform, env).catch((error: unknown) => ({
      exitCode: -1,
      stderr: errorMessage(error),
    }));
    const seen = exitCode < 0 ? undefined : seenMachine(platform, exitCode);
    return { seen, why: stderr.trim().split("\n").at(-1)?.trim() ?? "" };
  };
  const weakest = emulated ? weakestMachine(platform, machines) : undefined;
  if (weakest === undefined) return { env: {}, seen: (await ask({})).seen };
  const pages: Variables =
    weakest.pageSize === SMALLEST_PAGE ? {} : { [QEMU_PAGESIZE]: String(weakest.pageSize) };
  const wanted = { [QEMU_CPU]: weakest.qemu, ...pages };
  const { seen, why } = await ask(wanted);
  if (seen === undefined) {
    const limit = `the emulator takes no ${QEMU_CPU}=${weakest.qemu}${why === "" ? "" : ` (${why})`}`;
    return { env: {}, seen: (await ask({})).seen, limit };
  }
  const hasProcessor = seen.level <= weakest.level;
  const hasPages = seen.pageSize >= weakest.pageSize;
  const lacks = [
    ...(hasProcessor ? [] : [`the processor (${QEMU_CPU})`]),
    ...(hasPages ? [] : [`the page size (${QEMU_PAGESIZE})`]),
  ];
  return {
    env: {
      ...(hasProcessor ? { [QEMU_CPU]: weakest.qemu } : {}),
      ...(hasPages ? pages : {}),
    },
    seen,
    ...(lacks.length === 0 ? {} : { limit: `the emulator does not set ${lacks.join(" nor ")}` }),
  };
}

interface Answer {
  readonly exitCode: number;
  readonly stdout?: string;
  readonly stderr: string;
}

/** Answers of an engine, by what it was asked. */
const answers = new WeakMap<BuildContext["client"], Map<string, Promise<Answer>>>();

/** A {@link Probe} in an empty container of the engine; it asks once in a run. */
export function probeOf(context: BuildContext): Probe {
  const known = answers.get(context.client) ?? new Map<string, Promise<Answer>>();
  answers.set(context.client, known);
  return (platform, env) => {
    const key = JSON.stringify([platform, env]);
    const answer = known.get(key) ?? runProbe(context, platform, env);
    known.set(key, answer);
    return answer;
  };
}

/** `ReturnType.Any`, without the SDK at run time. */
const ANY_EXIT_CODE = { expect: "ANY" } as unknown as ContainerWithExecOpts;

const PROBE = "/machine-probe";
/** Dagger's API takes new files as text only. */
const WRITE = `require("fs").writeFileSync("${PROBE}", Buffer.from(process.argv[1], "base64"), { mode: 0o755 })`;

async function runProbe(context: BuildContext, platform: Platform, env: Variables): Promise<Answer> {
  const tools = await toolsContainer(context);
  const program = Buffer.from(probeProgram(platform)).toString("base64");
  const empty = context.client.container({ platform: platform as string as DaggerPlatform });
  // The emulator may have been replaced since the last run.
  const container = Object.entries({ ...env, TGO_RUN: randomUUID() }).reduce(
    (result, [name, value]) => result.withEnvVariable(name, value),
    empty.withFile(PROBE, tools.withExec(["node", "-e", WRITE, program]).file(PROBE)),
  );
  const run = container.withExec([PROBE], ANY_EXIT_CODE);
  const [exitCode, stdout, stderr] = await Promise.all([run.exitCode(), run.stdout(), run.stderr()]);
  return { exitCode, stdout, stderr };
}
