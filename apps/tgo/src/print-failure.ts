import { failureOf, type Failure } from "./failure.js";
import type { StopSignal } from "./interrupt.js";
import type { Output } from "./output.js";
import { EXIT, type CommandProcess } from "./command-process.js";
import type { Invocation } from "./command-line.js";
import type { Display } from "./progress/display.js";
import type { Reporting } from "./reporting.js";
import { sameCommand, startedBy } from "./command-lines.js";

/** Time for an interrupted run to close its engine. */
const GRACE_MS = 5_000;

/**
 * A failed function's report or list goes to stdout like any other result. A function that failed before it made a report
 * gets one here, if a format other than text was requested.
 */
export async function printFailure(
  {
    output,
    invocation,
    process,
  }: { readonly output: Output; readonly invocation: Invocation; readonly process: CommandProcess },
  error: unknown,
  reporting?: Reporting,
): Promise<number> {
  const failure = failureOf(error);
  const code = failure.code === "USAGE" ? EXIT.usage : (exitCodeOf(error) ?? EXIT.failure);
  if (isFunctionResult(error)) {
    output.out(`${error.message.trimEnd()}\n`);
  } else {
    const text = await reporting?.failureText(failure);
    if (text !== undefined) output.out(`${text.trimEnd()}\n`);
    else if (invocation.values.get("format") === "json") output.out(`${failureJson(failure)}\n`);
    output.err(`tgo: ${failure.message}\n${pageOf(failure, startedBy(process))}`);
    if (failure.output.length > 0) {
      output.err(`\nlast lines of its output:\n${failure.output.map((line) => `  ${line}`).join("\n")}\n`);
    }
  }
  if (invocation.settings.verbose && failure.stack !== undefined) output.err(`\n${failure.stack}\n`);
  return code;
}

/** The command that says more about a code. A usage error says all there is, and which help to read. */
function pageOf({ code }: Failure, command: string): string {
  return code === "USAGE" || code === "INTERNAL" ? "" : `  code ${code}: ${command} explain ${code}\n`;
}

/** Some functions tell a script more than that they failed: `watch` exits with 3 if a registry could not be read. */
function exitCodeOf(error: unknown): number | undefined {
  if (!isFunctionResult(error) || !("exitCode" in error)) return undefined;
  return typeof error.exitCode === "number" ? error.exitCode : undefined;
}

function isFunctionResult(error: unknown): error is Error {
  return error instanceof Error && error.name === "FunctionFailed";
}

function failureJson({ code, what, where, remedy }: Failure): string {
  return JSON.stringify({ ok: false, problems: [{ code, what, where, remedy }] }, null, 2);
}

/** Prints what was interrupted, waits for the engine to close, and prints how to continue. */
export async function printInterruption(
  { output, process }: { readonly output: Output; readonly process: CommandProcess },
  display: Display,
  signal: StopSignal,
  work: Promise<{ text: string } | { error: unknown }>,
): Promise<number> {
  const running = display.running();
  display.stop();
  output.err(
    [
      "",
      `interrupted${running.length === 0 ? "." : " while running:"}`,
      ...running.map((step) => `  ${step}`),
      "Closing the engine; press Ctrl-C again to exit immediately.",
      "",
    ].join("\n"),
  );
  const outcome = await Promise.race([
    work,
    new Promise<undefined>((resolve) => {
      setTimeout(() => {
        resolve(undefined);
      }, GRACE_MS).unref();
    }),
  ]);
  // The function's report of what it had finished, if it still made one.
  if (outcome !== undefined && "error" in outcome && isFunctionResult(outcome.error)) {
    output.out(`${outcome.error.message.trimEnd()}\n`);
  }
  output.err(
    `Nothing was tagged beyond the steps reported as done. Run the same command again to finish the rest:\n` +
      `  ${sameCommand(process)}\n`,
  );
  return EXIT[signal];
}
