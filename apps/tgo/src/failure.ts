import { isTgoError, type TgoErrorCode } from "@tgo/errors";

/** Anything thrown, as a person or a program should be told of it. */
export interface Failure {
  readonly code: TgoErrorCode;
  /** What happened, with where and the remedy when they are known. */
  readonly message: string;
  readonly what: string;
  readonly where?: string | undefined;
  readonly remedy?: string | undefined;
  /** The end of what a failed command printed. */
  readonly output: readonly string[];
  readonly stack: string | undefined;
}

const OUTPUT_LINES = 30;

/** Errors of the SDK that only wrap another one. */
const WRAPPERS = new Set(["UnknownDaggerError"]);

export function failureOf(thrown: unknown): Failure {
  const error = unwrap(thrown);
  const output = commandOutput(error);
  const stack = thrown instanceof Error ? thrown.stack : undefined;
  if (isTgoError(error)) {
    const { code, what, where, remedy, message } = error;
    return { code, what, where, remedy, message, output: unsaid(output, message), stack };
  }
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && error.name === "ExecError") {
    return { code: "BUILD", what: message, message: execMessage(error), output, stack };
  }
  if (error instanceof Error && error.name === "GraphQLRequestError") {
    return { code: "BUILD", what: message, message: `the engine answered: ${message}`, output, stack };
  }
  if (error instanceof Error && error.name === "AbortError") {
    return { code: "INTERRUPTED", what: "interrupted", message: "interrupted", output: [], stack };
  }
  const remedy = "Run it again with --verbose to see where it comes from.";
  return { code: "INTERNAL", what: message, remedy, message: `${message}\n  ${remedy}`, output, stack };
}

function unwrap(thrown: unknown): unknown {
  let error = thrown;
  while (error instanceof Error && WRAPPERS.has(error.name) && error.cause instanceof Error)
    error = error.cause;
  return error;
}

function execMessage(error: Error): string {
  const { cmd, exitCode } = error as Error & { cmd?: unknown; exitCode?: unknown };
  const command = Array.isArray(cmd) ? cmd.join(" ") : undefined;
  if (command === undefined || typeof exitCode !== "number") return error.message;
  return `a command failed with exit code ${exitCode}: ${command}`;
}

/** The last lines a failed command wrote, wherever it sits in the chain of causes. */
function commandOutput(error: unknown): string[] {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    if (at.name !== "ExecError") continue;
    const { stdout, stderr } = at as Error & { stdout?: unknown; stderr?: unknown };
    const text = [stdout, stderr].filter((part) => typeof part === "string" && part.trim() !== "").join("\n");
    return text === "" ? [] : text.trimEnd().split("\n").slice(-OUTPUT_LINES);
  }
  return [];
}

/** Nothing when the message already ends with that output. */
function unsaid(output: readonly string[], message: string): readonly string[] {
  const last = output.at(-1)?.trim();
  return last === undefined || message.includes(last) ? [] : output;
}
