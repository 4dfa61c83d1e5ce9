import type { Report } from "@tgo/report";

/** A function failed. The message is its whole output in the requested format, and belongs where output goes. */
export class FunctionFailed extends Error {
  constructor(message: string) {
    super(message);
    // The `tgo` command recognizes it by this name, also in subclasses: a module's bundle has its own copy of the class.
    this.name = "FunctionFailed";
  }
}

/** Dagger appends a trace's id to a message: not to its last line, which may be a command or a reference to copy. */
export function withOwnLastLine(error: unknown): unknown {
  if (error instanceof Error) error.message = `${error.message.trimEnd()}\n`;
  return error;
}

/** A function failed, and its output is a report. */
export class ReportError extends FunctionFailed {
  constructor(
    message: string,
    readonly report: Report,
  ) {
    super(message);
  }
}
