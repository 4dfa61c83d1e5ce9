import type { Container } from "@dagger.io/dagger";
import { type BuildContext, MACHINES, type Variant } from "@tgo/builders";
import type { PythonBuild, Service } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import pLimit, { type LimitFunction } from "p-limit";
import { importLines, type ImportReport, importsCommand, readImports, withImports } from "./imports.js";
import { hasShell, type LimitedRun, runLimited, TimedOut } from "./limited-run.js";
import type { Variables } from "./machines/run-machine.js";
import type { NativeSibling } from "./native-sibling.js";
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
}

/** The limit of all imports together, in limits of one. */
const IMPORTS = 10;

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
  { name, service, variant, env, sibling }: VariantRun,
): Promise<Omit<SmokeResult, "machines">> {
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
  const serving = { isStarted: false };
  const exec = (command: readonly string[], seconds = timeoutSeconds): Promise<string> =>
    limit(() => outputOf(container, { command, seconds }, { ...run, shell }, command.join(" ")));

  const isTold = (platforms: "every" | "one"): boolean => platforms === "one" && teller !== undefined;
  const imports = async (build: PythonBuild): Promise<ImportReport> => {
    const known = await teller?.known(variant, build);
    const options = { ...known, watch: !emulated && sibling !== undefined };
    // The program limits each import; this is for an interpreter that hangs itself.
    const limited = {
      command: importsCommand(build, service.smoke, options),
      seconds: IMPORTS * timeoutSeconds,
    };
    const report = await limit(() =>
      outputOf(withImports(container), limited, { ...run, shell }, "importing the packages"),
    );
    return readImports(report, where);
  };
  const server = async (): Promise<string[]> => {
    if (plan.http.length === 0)
      return ["not started: neither smoke.http nor a health check defines a request"];
    const pages = service.build.strategy === "static-web";
    const test = { http: plan.http, timeoutSeconds, pages };
    const lines = await limit(() => {
      serving.isStarted = true;
      return testServer(context, test, container, run, stop.signal);
    });
    return lines.map((line) => `${line} [${how}]`);
  };

  const started = {
    machine: plan.machine && exec(plan.machine),
    commands: plan.exec.map(({ command, platforms }) => ({
      title: command.join(" "),
      done: isTold(platforms) ? undefined : exec(command),
    })),
    imports: plan.imports && imports(plan.imports),
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
      await done;
      const told = done === undefined ? `${teller?.platform ?? ""}, for every platform` : undefined;
      lines.push(told === undefined ? `${title}: exit 0 [${how}]` : `${title}: exit 0 on ${told} [native]`);
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
