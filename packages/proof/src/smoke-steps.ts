import type { Container } from "@dagger.io/dagger";
import { type BuildContext, MACHINES, type Variant } from "@tgo/builders";
import type { PythonBuild, Service } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import pLimit, { type LimitFunction } from "p-limit";
import { importLines, type ImportReport, importsCommand, readImports, withImports } from "./imports.js";
import { hasShell, type LimitedRun, runLimited, TimedOut } from "./limited-run.js";
import type { Variables } from "./machines/run-machine.js";
import type { NativeSibling } from "./native-sibling.js";
import { type SharedPrograms, sharedPrograms } from "./shared-interpreter.js";
import { smokeFailure, type SmokeRun, timeoutFailure } from "./smoke-failure.js";
import { smokePlan } from "./smoke-plan.js";
import type { SmokeResult } from "./smoke-result.js";
import { testServer } from "./smoke-server.js";

/** A variant to run. */
export interface VariantRun {
  readonly name: string;
  readonly service: Service;
  readonly variant: Variant;
  /** Variables of the emulator. */
  readonly env: Variables;
  readonly sibling: NativeSibling | undefined;
  readonly checking: Promise<unknown> | undefined;
  /** Whether an emulated run may start the interpreter once for all; what fails so runs by itself. */
  readonly share: boolean;
}

/** What the steps of a run found. */
export type StepResults = Omit<SmokeResult, "machines" | "native" | "emulator">;

/** The limit of all imports together, in limits of one. */
const IMPORTS = 10;

/** What a line says of a command or server that ran in a fork of the interpreter that imported the packages. */
const ONE_INTERPRETER = "one interpreter";

/** Steps at once on an engine, of all variants and services: each has to end in time, so more would fail on few cores. */
const STEPS = 4;
const limits = new WeakMap<BuildContext["client"], LimitFunction>();

/**
 * Runs the steps of a variant at once: each has a container of its own. Of several failures the first of this order is
 * thrown: machine, commands, imports, server. A server often fails for what an import names better.
 * @throws TgoError SMOKE
 */
export async function runSteps(
  context: BuildContext,
  { name, service, variant, env, sibling, checking, share }: VariantRun,
): Promise<StepResults> {
  const { platform, container: image } = variant;
  const where = `${name} ${platform}`;
  const { timeoutSeconds } = service.smoke;
  const plan = smokePlan(service);
  const container = Object.entries({ ...env, ...service.smoke.env }).reduce(
    (result, [variable, value]) => result.withEnvVariable(variable, value),
    image,
  );
  const emulated = platform !== context.native;
  const run: SmokeRun = { where, platform, emulated };
  const shell = await hasShell(container);
  const limit = limits.get(context.client) ?? pLimit(STEPS);
  limits.set(context.client, limit);
  // A run that is emulated leaves out what the native run tells.
  const teller = emulated ? sibling : undefined;
  const how = emulated ? "emulated" : "native";
  const stop = new AbortController();
  checking?.catch((error: unknown) => {
    stop.abort(error);
  });
  const serving = { isStarted: false };
  const exec = (command: readonly string[], seconds = timeoutSeconds): Promise<string> =>
    limit(() => {
      stop.signal.throwIfAborted();
      return outputOf(container, { command, seconds }, { ...run, shell }, command.join(" "));
    });

  const shared =
    teller === undefined || !share
      ? undefined
      : await sharedPrograms(container, plan, Math.ceil(timeoutSeconds / 2));

  const isTold = (platforms: "every" | "one"): boolean => platforms === "one" && teller !== undefined;
  const imports = async (build: PythonBuild): Promise<ImportReport> => {
    // Several servers need most packages, each of them: imported once for all.
    const isForAll = shared !== undefined && shared.servers.length > 1;
    const known = isForAll ? undefined : await teller?.known(variant, build);
    const options = {
      ...known,
      watch: !emulated && sibling !== undefined,
      ...(shared === undefined ? {} : { share: shared }),
    };
    // The program limits each import; this is for an interpreter that hangs itself.
    const limited = {
      command: importsCommand(build, service.smoke, options),
      seconds: IMPORTS * timeoutSeconds,
    };
    const report = await limit(() => {
      stop.signal.throwIfAborted();
      return outputOf(withImports(container), limited, { ...run, shell }, "importing the packages");
    });
    return readImports(report, where);
  };
  const imported = plan.imports && imports(plan.imports);
  const command = async (command: readonly string[]): Promise<string> => {
    if (await isShared(shared, imported, command)) return `${how}, ${ONE_INTERPRETER}`;
    await exec(command);
    return how;
  };
  const server = async (): Promise<string[]> => {
    if (plan.http.length === 0)
      return ["not started: neither smoke.http nor a health check defines a request"];
    if (shared !== undefined && shared.servers.length > 0 && (await imported)?.shared?.servers === true)
      return plan.http.map(
        ({ port, path, status }) => `GET :${port}${path} ${status} [${how}, ${ONE_INTERPRETER}]`,
      );
    const pages = service.build.strategy === "static-web";
    const test = { http: plan.http, timeoutSeconds, pages };
    const lines = await limit(() => {
      stop.signal.throwIfAborted();
      serving.isStarted = true;
      return testServer(context, test, container, run, stop.signal);
    });
    return lines.map((line) => `${line} [${how}]`);
  };

  const started = {
    machine: plan.machine && exec(plan.machine),
    commands: plan.exec.map(({ command: words, platforms }) => ({
      title: words.join(" "),
      done: isTold(platforms) ? undefined : command(words),
    })),
    imports: imported,
    server: server(),
  };
  const results = [
    started.machine,
    ...started.commands.map(({ done }) => done),
    started.imports,
    started.server,
  ];
  for (const result of results) result?.catch(() => undefined);
  try {
    const lines: string[] = [];
    if (started.machine !== undefined) checkMachine((await started.machine).trim(), run);
    for (const { title, done } of started.commands) {
      const by = await done;
      const told = `${teller?.platform ?? ""}, for every platform`;
      lines.push(by === undefined ? `${title}: exit 0 on ${told} [native]` : `${title}: exit 0 [${by}]`);
    }
    const report = await started.imports;
    if (report !== undefined) {
      if (started.machine === undefined) checkMachine(report.machine, run);
      lines.push(...importLines(report, { where, how, native: context.native }));
      if (!emulated) sibling?.imported(report);
    }
    lines.push(...(await started.server));
    const isPartial =
      started.commands.some(({ done }) => done === undefined) || (report?.equal.packages ?? 0) > 0;
    return { platform, machine: MACHINES[platform], lines, ...(isPartial ? { partial: true } : {}) };
  } catch (error) {
    stop.abort();
    // It stops its server; one that has not started never does.
    if (serving.isStarted) await started.server.catch(() => undefined);
    throw error;
  }
}

/** Whether a command succeeded in a fork of the interpreter that imported the packages. */
async function isShared(
  shared: SharedPrograms | undefined,
  imported: Promise<ImportReport> | undefined,
  command: readonly string[],
): Promise<boolean> {
  const at = shared?.commands.indexOf(command) ?? -1;
  if (at < 0) return false;
  // The failure of the imports is told by themselves.
  const report = await imported?.catch(() => undefined);
  return report?.shared?.commands[at] === true;
}

/** @throws TgoError SMOKE */
function checkMachine(machine: string, { platform, where }: SmokeRun): void {
  if (machine === MACHINES[platform]) return;
  throw new TgoError("SMOKE", `reports the machine "${machine}", not ${MACHINES[platform]}`, {
    where,
    remedy: "The image, or the interpreter in it, is for another architecture. Check its base image.",
  });
}

async function outputOf(
  container: Container,
  limited: LimitedRun,
  run: SmokeRun & { readonly shell: boolean },
  what: string,
): Promise<string> {
  try {
    return await runLimited(container, limited, run.shell);
  } catch (error) {
    if (error instanceof TimedOut) throw timeoutFailure(what, run, error, limited.seconds);
    throw smokeFailure(`${what} failed`, run, error);
  }
}
