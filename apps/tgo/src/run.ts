import { TgoError } from "@tgo/errors";
import { parseCommandLine, type Invocation } from "./command-line.js";
import { languageOf } from "./explain.js";
import { EXIT, type CommandProcess } from "./command-process.js";
import type { Default } from "./environment-defaults.js";
import { failureOf } from "./failure.js";
import { watchInterruption } from "./interrupt.js";
import type { Product } from "./loaded-module.js";
import { openOutput, type Output } from "./output.js";
import { printFailure, printInterruption } from "./print-failure.js";
import { Redactor } from "@tgo/redaction";
import type { Reporting } from "./reporting.js";
import type { Run } from "./function-run.js";
import { runFunction } from "./run-function.js";
import type { Engines } from "./session.js";
import { startedBy } from "./command-lines.js";
import { watchUncaughtErrors } from "./uncaught-errors.js";

/**
 * Runs the whole command: parses the command line, runs the function, writes its result to stdout and everything else to
 * stderr.
 * @returns the exit code, one of {@link EXIT}
 */
export async function runCommand(
  product: Product,
  process: CommandProcess,
  engines: Engines,
): Promise<number> {
  const redaction = new Redactor();
  // Proxies, package indexes and mirrors: programs print their passwords without the address around them.
  redaction.addUrls([...Object.values(process.env), ...process.argv]);
  const output = openOutput(process, redaction);
  let invocation: Invocation;
  try {
    const parsed = parseCommandLine(process.argv, {
      moduleApi: product.moduleApi,
      name: process.name,
      command: startedBy(process),
      version: product.version,
      writeOut: output.out,
      writeErr: output.err,
      language: languageOf(process.env),
      width: Math.min(110, process.stdout.columns ?? 100),
    });
    const usesStdout =
      "shown" in parsed ? parsed.requested : "own" in parsed || parsed.settings.output === undefined;
    if (process.isStdoutClosed === true && usesStdout) throw stdoutClosed();
    if ("shown" in parsed) return parsed.requested ? EXIT.ok : EXIT.usage;
    if ("own" in parsed) {
      const { runOwnCommand } = await import("./own/run-own-command.js");
      return await runOwnCommand(parsed, product, process, output);
    }
    const { readDefaults } = await import("./environment-defaults.js");
    const { env, cwd } = process;
    const defaults = await readDefaults(
      product.moduleApi,
      { env, cwd, given: parsed.values },
      ({ message }) => {
        output.err(`tgo: ${message}\n`);
      },
    );
    invocation = withDefaults(parsed, defaults);
    redaction.addUrls([...invocation.values.values()].flat().map(String));
  } catch (error) {
    const failure = failureOf(error);
    output.err(`tgo: ${failure.message}\n`);
    return failure.code === "USAGE" ? EXIT.usage : EXIT.failure;
  } finally {
    await output.flushed();
  }
  const interruption = watchInterruption(process);
  const uncaught = watchUncaughtErrors(process);
  try {
    const run = { product, process, engines, redaction, output, invocation, interruption };
    const code = await runInvocation(run, uncaught.happened);
    await output.flushed();
    return code === EXIT.ok && reportWriteError(output) ? EXIT.failure : code;
  } finally {
    uncaught.release();
    interruption.release();
    await output.flushed();
  }
}

/** Told before anything starts: a result that nobody can read makes no run succeed. */
function stdoutClosed(): TgoError {
  return new TgoError("USAGE", "stdout is closed, so the result would be lost", {
    remedy: "Send it to a file, or to /dev/null if you do not want it.",
  });
}

/** The typed values, over those from the environment. */
function withDefaults(invocation: Invocation, defaults: ReadonlyMap<string, Default>): Invocation {
  const missing = [...defaults].filter(([name]) => !invocation.values.has(name));
  return {
    ...invocation,
    values: new Map([...missing.map(([name, { value }]) => [name, value] as const), ...invocation.values]),
    origins: new Map(missing.map(([name, { from }]) => [name, from])),
  };
}

/** @returns whether the result could not be written: then the run has failed, because its reader finds nothing */
function reportWriteError(output: Output): boolean {
  const error = output.writeError();
  if (error === undefined) return false;
  output.err(`tgo: the function succeeded, but its result could not be written: ${error.message}\n`);
  return true;
}

async function runInvocation(
  run: Omit<Run, "reporting" | "display">,
  uncaught: Promise<{ readonly error: unknown }>,
): Promise<number> {
  const { product, invocation, output, interruption, process, redaction } = run;
  // Help and usage errors need neither log-update nor the report's formats.
  const [{ openDisplay }, { Reporting }] = await Promise.all([
    import("./progress/open.js"),
    import("./reporting.js"),
  ]);
  let reporting: Reporting;
  try {
    reporting = await Reporting.open({ invocation, moduleApi: product.moduleApi, process, output });
  } catch (error) {
    return await printFailure(run, error);
  }
  const display = openDisplay(invocation.settings.progress, process, output, redaction);
  const work = runFunction({ ...run, reporting, display }).then(
    (text) => ({ text }),
    (error: unknown) => ({ error }),
  );
  try {
    const first = await Promise.race([work, uncaught, interruption.happened]);
    if (typeof first === "string") {
      const code = await printInterruption(run, display, first, work);
      return await reporting.end(code, failureOf(interruption.signal.reason));
    }
    display.stop();
    if ("error" in first) {
      return await reporting.end(await printFailure(run, first.error, reporting), failureOf(first.error));
    }
    output.out(first.text === "" || first.text.endsWith("\n") ? first.text : `${first.text}\n`);
    return await reporting.end(EXIT.ok);
  } finally {
    display.stop();
  }
}
