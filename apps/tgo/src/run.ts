import type { Default } from "./environment-defaults.js";
import { writeResult } from "./write-result.js";
import { chooseEngine, describeEngine } from "./engine.js";
import { failureOf } from "./failure.js";
import { watchInterruption, type Interruption } from "./interrupt.js";
import { openOutput, wantsColor, type Output } from "./output.js";
import { prepareCall, type PreparedCall } from "./prepare-call.js";
import { EXIT, type CliProcess } from "./process.js";
import type { LoadedModule, Product } from "./loaded-module.js";
import type { Argument } from "./module-api.js";
import { parseCommandLine, type Invocation } from "./program.js";
import type { Display } from "./progress/display.js";
import { Redaction } from "./redaction.js";
import { withSession, type Engines } from "./session.js";
import type { Reporting } from "./reporting.js";
import { watchUncaughtErrors, type UncaughtErrors } from "./uncaught-errors.js";
import { sameCommand } from "./shell-quote.js";
import { printFailure, printInterruption } from "./print-failure.js";

/**
 * The whole command: reads the command line, runs the function, writes its result to stdout and everything
 * else to stderr.
 * @returns the exit code, one of {@link EXIT}
 */
export async function runCli(product: Product, process: CliProcess, engines: Engines): Promise<number> {
  const redaction = new Redaction();
  const output = openOutput(process, redaction);
  let invocation: Invocation;
  try {
    const parsed = parseCommandLine(process.argv, {
      surface: product.surface,
      version: product.version,
      writeOut: output.out,
      writeErr: output.err,
      width: Math.min(110, process.stdout.columns ?? 100),
    });
    if ("shown" in parsed) return parsed.asked ? EXIT.ok : EXIT.usage;
    const { readDefaults } = await import("./environment-defaults.js");
    invocation = withDefaults(parsed, await readDefaults(product.surface, process));
  } catch (error) {
    const failure = failureOf(error);
    output.err(`tgo: ${failure.message}\n`);
    return failure.code === "USAGE" ? EXIT.usage : EXIT.failure;
  } finally {
    await output.flushed();
  }
  const interruption = watchInterruption(process);
  const stray = watchUncaughtErrors(process);
  try {
    const run = { product, process, engines, redaction, output, invocation, interruption, stray };
    const code = await runInvocation(run);
    await output.flushed();
    return code === EXIT.ok && resultIsLost(output) ? EXIT.failure : code;
  } finally {
    stray.release();
    interruption.release();
    await output.flushed();
  }
}

/** The typed values, over those of the environment. */
function withDefaults(invocation: Invocation, defaults: ReadonlyMap<string, Default>): Invocation {
  const missing = [...defaults].filter(([name]) => !invocation.values.has(name));
  return {
    ...invocation,
    values: new Map([...missing.map(([name, { value }]) => [name, value] as const), ...invocation.values]),
    origins: new Map(missing.map(([name, { from }]) => [name, from])),
  };
}

/** A report that could not be written is no success: whoever reads the file would find it empty. */
function resultIsLost(output: Output): boolean {
  const lost = output.lost();
  if (lost === undefined) return false;
  output.err(`tgo: the work is done, but its result could not be written: ${lost.message}\n`);
  return true;
}

interface Run {
  readonly product: Product;
  readonly process: CliProcess;
  readonly engines: Engines;
  readonly redaction: Redaction;
  readonly output: Output;
  readonly invocation: Invocation;
  readonly interruption: Interruption;
  readonly stray: UncaughtErrors;
}

interface Told {
  readonly reporting: Reporting;
}

async function runInvocation(run: Run): Promise<number> {
  const { product, invocation, output, interruption, process, redaction, stray } = run;
  // log-update and the report's faces are no use to help and usage errors.
  const [{ openDisplay }, { Reporting }] = await Promise.all([
    import("./progress/open.js"),
    import("./reporting.js"),
  ]);
  let reporting: Reporting;
  try {
    reporting = await Reporting.open({ invocation, surface: product.surface, process, output });
  } catch (error) {
    return printFailure(run, error);
  }
  const display = openDisplay(invocation.settings.progress, process, output, redaction);
  const work = execute({ ...run, reporting }, display).then(
    (text) => ({ text }),
    (error: unknown) => ({ error }),
  );
  try {
    const first = await Promise.race([work, stray.happened, interruption.happened]);
    if (typeof first === "string") {
      const code = await printInterruption(run, display, first, work);
      return await reporting.end(code, failureOf(interruption.signal.reason));
    }
    display.stop();
    if ("error" in first) {
      return await reporting.end(printFailure(run, first.error, reporting), failureOf(first.error));
    }
    output.out(first.text === "" || first.text.endsWith("\n") ? first.text : `${first.text}\n`);
    return await reporting.end(EXIT.ok);
  } finally {
    display.stop();
  }
}

async function execute(run: Run & Told, display: Display): Promise<string> {
  const { product, process, engines, redaction, invocation, interruption, reporting } = run;
  const { settings } = invocation;
  const context = { process, invocation, interruption, reporting, display };
  if (needsNoEngine(invocation, product)) {
    const prepared = await prepareCall(invocation, product.surface, process, redaction);
    return call(await product.load(), undefined, prepared, context);
  }
  const [prepared, choice] = await Promise.all([
    prepareCall(invocation, product.surface, process, redaction),
    chooseEngine(settings.engine, process.env, engines.dockerAnswers),
  ]);
  display.onProgress({ kind: "note", id: "choice", step: "engine", detail: describeEngine(choice) });
  const started = performance.now();
  const step = { id: "engine", step: "start the engine" };
  display.onProgress({ kind: "begin", ...step });
  const ready = (state: "done" | "failed" | "stopped"): void => {
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
        onLine: settings.verbose
          ? (line) => {
              display.line(redaction.clean(line));
            }
          : undefined,
      },
      (module, engineName) => {
        session.open = true;
        ready("done");
        return call(module, engineName, prepared, context);
      },
    );
  } catch (error) {
    if (!session.open) ready(interruption.signal.aborted ? "stopped" : "failed");
    throw error;
  }
}

/** Functions that only read the catalog: told at once, on any machine. */
const WITHOUT_ENGINE = new Set(["services", "plan"]);

/** An argument such as --catalog is a file to the module, and only an engine can hand it over. */
function needsNoEngine({ function: fn, values }: Invocation, { surface }: Product): boolean {
  const all = [...surface.constructor.arguments, ...fn.arguments];
  const holdsObject = ({ name, type }: Argument): boolean =>
    values.has(name) && (type.kind === "object" || type.of?.kind === "object");
  return WITHOUT_ENGINE.has(fn.command) && !all.some(holdsObject);
}

async function call(
  module: LoadedModule,
  engineName: string | undefined,
  prepared: PreparedCall,
  run: Pick<Run, "process" | "invocation" | "interruption"> & Told & { display: Display },
): Promise<string> {
  const { process, invocation, interruption, reporting, display } = run;
  const host = {
    progress: display.onProgress,
    signal: interruption.signal,
    engine: engineName,
    local: true,
    credentials: prepared.credentials.module,
    uncommitted: prepared.uncommitted,
    invocation: sameCommand(process.argv, process.env),
    report: reporting.see,
    text: {
      color: wantsColor(process.stdout, process.env),
      width: Math.max(60, process.stdout.columns ?? 100),
    },
  };
  const fn = invocation.function;
  const instance = module.create(
    prepared.constructorArguments.map((make) => make(module.client)),
    host,
  );
  if (instance[fn.name] === undefined) throw new Error(`the module has no method ${fn.name}`);
  const value = await instance[fn.name]?.(...prepared.functionArguments.map((make) => make(module.client)));
  return writeResult(fn, value, {
    cwd: process.cwd,
    output: invocation.settings.output,
    client: module.client,
  });
}
