import type { Report } from "@tgo/report";

/**
 * A function failed, and the message is its whole answer, in the requested format: it belongs where the answer of a
 * successful one does.
 */
export class FunctionFailed extends Error {
  constructor(message: string) {
    super(message);
    // The `tgo` command recognizes it by this name: a module's bundle has a class of its own. Subclasses keep it.
    this.name = "FunctionFailed";
  }
}

/** A function failed, and has a report. */
export class ReportError extends FunctionFailed {
  constructor(
    message: string,
    readonly report: Report,
  ) {
    super(message);
  }
}
