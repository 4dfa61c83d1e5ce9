import {
  isRetryable,
  mapTexts,
  render,
  type Report,
  type ReportFormat,
  type ServiceReport,
} from "@tgo/report";
import type { Context } from "./context.js";
import { ReportError } from "./function-failed.js";

/** A run that has ended. */
export interface FinishedRun {
  readonly command: Report["command"];
  readonly ok: boolean;
  readonly services: readonly ServiceReport[];
  /** By performance.now(). */
  readonly started: number;
  /** Flags of the command that continues the run, used if the caller's own command line is unknown. */
  readonly flags: string;
  readonly format: ReportFormat;
}

/** Renders the report of a run. @throws ReportError with it if the run failed */
export function finishReport(
  context: Context,
  { command, ok, services, started, flags, format }: FinishedRun,
  more: Pick<Report, "version" | "gate" | "problems" | "record"> = {},
): string {
  const durationMs = Math.round(performance.now() - started);
  const full: Report = {
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
  const report = context.host.report?.(full) ?? mapTexts(full, context.clean);
  const text = render(report, format, context.host.text);
  if (!ok) throw new ReportError(text, report);
  return text;
}
