import { failureOf, type Failure } from "./failure.js";
import type { StopSignal } from "./interrupt.js";
import type { Output } from "./output.js";
import { EXIT, type CliProcess } from "./process.js";
import type { Invocation } from "./program.js";
import type { Display } from "./progress/display.js";
import type { Reporting } from "./reporting.js";
import { sameCommand } from "./shell-quote.js";

/** How long a stopped run may take to close its engine. */
const GRACE_MS = 5_000;

/**
 * What a failed function has to say, a report or a list, is its result: it goes to stdout like any other. One that failed
 * before it had a report has one of that, where a format for programs or pages was asked for.
 */
export function printFailure(
  { output, invocation }: { readonly output: Output; readonly invocation: Invocation },
  error: unknown,
  reporting?: Reporting,
): number {
  const failure = failureOf(error);
  const code = failure.code === "USAGE" ? EXIT.usage : EXIT.failure;
  if (isAnswer(error)) {
    output.out(`${error.message.trimEnd()}\n`);
  } else {
    const early = reporting?.earlyText(failure);
    if (early !== undefined) output.out(`${early.trimEnd()}\n`);
    else if (invocation.values.get("format") === "json") output.out(`${failureJson(failure)}\n`);
    output.err(`tgo: ${failure.message}\n`);
    if (failure.output.length > 0) {
      output.err(`\nthe last lines it printed:\n${failure.output.map((line) => `  ${line}`).join("\n")}\n`);
    }
  }
  if (invocation.settings.verbose && failure.stack !== undefined) output.err(`\n${failure.stack}\n`);
  return code;
}

function isAnswer(error: unknown): error is Error {
  return error instanceof Error && error.name === "FunctionFailed";
}

function failureJson({ code, what, where, remedy }: Failure): string {
  return JSON.stringify({ ok: false, problems: [{ code, what, where, remedy }] }, null, 2);
}

/** Says what was stopped, waits for the engine to close, and says how to go on. */
export async function printInterruption(
  { output, process }: { readonly output: Output; readonly process: CliProcess },
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
      "Closing the engine; Ctrl-C again ends at once.",
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
  // The report of what had been done by then, if the function still made one.
  if (outcome !== undefined && "error" in outcome && isAnswer(outcome.error)) {
    output.out(`${outcome.error.message.trimEnd()}\n`);
  }
  output.err(
    `Nothing was tagged beyond the steps told as done. The same command finishes the rest:\n` +
      `  ${sameCommand(process.argv, process.env)}\n`,
  );
  return EXIT[signal];
}
