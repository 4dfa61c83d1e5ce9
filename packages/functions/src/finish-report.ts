import { isRetryable, render, type Report, type ReportFormat, type ServiceReport } from "@tgo/report";
import type { Context } from "./context.js";
import { ReportError } from "./function-failed.js";

/** How a run went. */
export interface FinishedRun {
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
export function finishReport(
  context: Context,
  { command, ok, services, started, flags, format }: FinishedRun,
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
    ...(!ok && isRetryable({ services, ...more })
      ? { next: context.host.invocation ?? `dagger call ${command} ${flags}` }
      : {}),
  };
  const report = context.host.report?.(made) ?? made;
  const text = render(report, format, context.host.text);
  if (!ok) throw new ReportError(text, report);
  return text;
}
