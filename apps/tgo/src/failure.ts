import { innerCause, isTgoError, type TgoErrorCode } from "@tgo/errors";

/** Any thrown value, as shown to a person or a program. */
export interface Failure {
  readonly code: TgoErrorCode;
  /** What happened, including where and the remedy if known. */
  readonly message: string;
  readonly what: string;
  readonly where?: string;
  readonly remedy?: string;
  /** The last lines a failed command printed. */
  readonly output: readonly string[];
  readonly stack: string | undefined;
}

const OUTPUT_LINES = 30;

/** SDK errors that only wrap another one. */
const WRAPPERS = new Set(["UnknownDaggerError"]);

export function failureOf(thrown: unknown): Failure {
  const unwrapped = unwrap(thrown);
  const error = innerCause(unwrapped) ?? unwrapped;
  const output = commandOutput(error);
  const stack = thrown instanceof Error ? thrown.stack : undefined;
  if (isTgoError(error)) {
    const { code, what, where, remedy, message } = error;
    return {
      code,
      what,
      ...(where === undefined ? {} : { where }),
      ...(remedy === undefined ? {} : { remedy }),
      message,
      output: notIn(message, output),
      stack,
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && error.name === "ExecError") {
    return { code: "BUILD", what: message, message: execMessage(error), output, stack };
  }
  if (error instanceof Error && error.name === "GraphQLRequestError") {
    return {
      code: "BUILD",
      what: message,
      message: `the engine returned an error: ${message}`,
      output,
      stack,
    };
  }
  if (error instanceof Error && error.name === "AbortError") {
    return { code: "INTERRUPTED", what: "interrupted", message: "interrupted", output: [], stack };
  }
  const remedy = "Run it again with --verbose for a stack trace.";
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

/** The last lines of a failed command, found anywhere in the chain of causes. */
function commandOutput(error: unknown): string[] {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    if (at.name !== "ExecError") continue;
    const { stdout, stderr } = at as Error & { stdout?: unknown; stderr?: unknown };
    const text = [stdout, stderr].filter((part) => typeof part === "string" && part.trim() !== "").join("\n");
    return text === "" ? [] : text.trimEnd().split("\n").slice(-OUTPUT_LINES);
  }
  return [];
}

/** The output, or nothing if the message already contains it. */
function notIn(message: string, output: readonly string[]): readonly string[] {
  const last = output.at(-1)?.trim();
  return last === undefined || message.includes(last) ? [] : output;
}
