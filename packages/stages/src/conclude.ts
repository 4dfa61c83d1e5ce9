import { helpsToRepeat, render, type Report, type ReportFormat, type ServiceReport } from "@tgo/report";
import type { Context } from "./context.js";
import { getHost } from "./host.js";

/** A function failed; the message is its whole report, in the format asked for. */
export class ReportError extends Error {
  constructor(
    message: string,
    readonly report: Report,
  ) {
    super(message);
    this.name = "ReportError";
  }
}

/** How a run went. */
export interface Ended {
  readonly command: Report["command"];
  readonly ok: boolean;
  readonly services: readonly ServiceReport[];
  /** As performance.now() has it. */
  readonly started: number;
  /** Of the command that runs the same again, where the caller's own command line is not known. */
  readonly flags: string;
  readonly format: ReportFormat;
}

/** Renders the report of a run; one that is not ok is thrown. */
export function conclude(
  context: Context,
  { command, ok, services, started, flags, format }: Ended,
  more: Pick<Report, "version" | "gate" | "problems" | "record"> = {},
): string {
  const durationMs = Math.round(performance.now() - started);
  const made: Report = {
    command,
    ok,
    engine: context.engine,
    pipeline: context.pipeline,
    began: new Date(Date.now() - durationMs).toISOString(),
    durationMs,
    services,
    ...more,
    next:
      !ok && helpsToRepeat({ services, problems: more.problems })
        ? (getHost().invocation ?? `dagger call ${command} ${flags}`)
        : undefined,
  };
  const report = getHost().report?.(made) ?? made;
  const text = render(report, format, getHost().text);
  if (!ok) throw new ReportError(text, report);
  return text;
}
