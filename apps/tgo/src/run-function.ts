import type { HostOptions } from "@tgo/functions";
import { TemporaryFolders } from "@tgo/git";
import type { Invocation } from "./command-line.js";
import type { CommandProcess } from "./command-process.js";
import { chooseEngine, describeEngine } from "./engine.js";
import type { Interruption } from "./interrupt.js";
import type { LoadedModule, Product } from "./loaded-module.js";
import type { Argument } from "./module-api.js";
import { wantsColor, type Output } from "./output.js";
import { prepareCall, type PreparedCall } from "./prepare-call.js";
import type { Display } from "./progress/display.js";
import type { Redactor } from "@tgo/redaction";
import type { Reporting } from "./reporting.js";
import { withSession, type Engines } from "./session.js";
import { commandStart, sameCommand } from "./command-lines.js";
import { writeResult } from "./write-result.js";

/** One run of a function, with everything it uses. */
export interface Run {
  readonly product: Product;
  readonly process: CommandProcess;
  readonly engines: Engines;
  readonly redaction: Redactor;
  readonly output: Output;
  readonly invocation: Invocation;
  readonly interruption: Interruption;
  readonly reporting: Reporting;
  readonly display: Display;
}

/**
 * Calls the function, in a session with an engine if it needs one.
 * @returns the text for stdout
 */
export async function runFunction(run: Run): Promise<string> {
  const folders = new TemporaryFolders();
  const removeNow = (): void => {
    folders.removeNow();
  };
  // A second Ctrl-C ends the process without waiting for anything.
  run.process.events.on("exit", removeNow);
  try {
    return await runWith(run, folders);
  } finally {
    run.process.events.off("exit", removeNow);
    await folders.remove();
  }
}

async function runWith(run: Run, folders: TemporaryFolders): Promise<string> {
  const { product, process, engines, redaction, invocation } = run;
  const { env, cwd, home } = process;
  const host = { env, cwd, home, folders, signal: run.interruption.signal };
  if (needsNoEngine(invocation, product)) {
    const prepared = await prepareCall(invocation, product.moduleApi, host, redaction);
    return call(run, await product.load(), prepared, undefined);
  }
  const [prepared, choice] = await Promise.all([
    prepareCall(invocation, product.moduleApi, host, redaction),
    chooseEngine(invocation.settings.engine, process.env, engines.isDockerRunning),
  ]);
  const { display, interruption } = run;
  display.onProgress({ kind: "note", id: "choice", step: "engine", detail: describeEngine(choice) });
  const started = performance.now();
  const step = { id: "engine", step: "start the engine" };
  display.onProgress({ kind: "begin", ...step });
  const endStep = (state: "done" | "failed" | "stopped"): void => {
    display.onProgress({ kind: "end", ...step, state, durationMs: performance.now() - started });
  };
  const session = { open: false };
  try {
    return await withSession(
      product.load,
      {
        choice,
        engines,
        env: process.env,
        signal: interruption.signal,
        caBundle: prepared.caBundle,
        credentials: prepared.credentials.host,
        mirrors: prepared.mirrors,
        onLine: invocation.settings.verbose
          ? (line) => {
              display.line(redaction.clean(line));
            }
          : undefined,
      },
      (module, engineName) => {
        session.open = true;
        endStep("done");
        return call(run, module, prepared, engineName);
      },
    );
  } catch (error) {
    if (!session.open) endStep(interruption.signal.aborted ? "stopped" : "failed");
    throw error;
  }
}

/** Functions that only read the catalog: they start at once, on any machine. */
const WITHOUT_ENGINE = new Set(["services", "plan"]);

/** An argument such as --catalog is a File to the module, which only an engine can provide. */
function needsNoEngine({ function: fn, values }: Invocation, { moduleApi }: Product): boolean {
  const all = [...moduleApi.constructor.arguments, ...fn.arguments];
  const isObject = ({ name, type }: Argument): boolean =>
    values.has(name) && (type.kind === "object" || type.of?.kind === "object");
  return WITHOUT_ENGINE.has(fn.command) && !all.some(isObject);
}

async function call(
  run: Run,
  module: LoadedModule,
  prepared: PreparedCall,
  engineName: string | undefined,
): Promise<string> {
  const { function: fn, settings } = run.invocation;
  const instance = module.create(
    prepared.constructorArguments.map((make) => make(module.client)),
    hostOptions(run, prepared, engineName),
  );
  if (instance[fn.name] === undefined) throw new Error(`the module has no method ${fn.name}`);
  const value = await instance[fn.name]?.(...prepared.functionArguments.map((make) => make(module.client)));
  return writeResult(fn, value, { cwd: run.process.cwd, output: settings.output });
}

/** What the module needs to know about this machine. */
function hostOptions(
  { product, process, invocation, interruption, reporting, display }: Run,
  { credentials, uncommitted, differences }: PreparedCall,
  engineName: string | undefined,
): HostOptions {
  return {
    progress: display.onProgress,
    signal: interruption.signal,
    local: true,
    ...(engineName === undefined ? {} : { engine: engineName }),
    ...(credentials.module === undefined ? {} : { credentials: credentials.module }),
    ...(uncommitted === undefined ? {} : { uncommitted }),
    ...(differences === undefined ? {} : { differences }),
    command: commandStart(process, invocation, product.moduleApi),
    invocation: sameCommand(process),
    report: reporting.accept,
    text: {
      color: wantsColor(process.stdout, process.env),
      width: Math.max(60, process.stdout.columns ?? 100),
    },
  };
}
