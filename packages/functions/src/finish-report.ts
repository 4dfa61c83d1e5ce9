import {
  isRetryable,
  mapTexts,
  render,
  type Report,
  type ReportFormat,
  type ServiceReport,
} from "@tgo/report";
import { argumentWords, nameReportCommands, nextOf, type Arguments } from "./commands.js";
import type { Context } from "./context.js";
import { ReportError } from "./function-failed.js";

/** A run that has ended. */
export interface FinishedRun {
  readonly command: Report["command"];
  readonly ok: boolean;
  readonly services: readonly ServiceReport[];
  /** By performance.now(). */
  readonly started: number;
  /** Arguments of the command that continues the run, used if the caller's own command line is unknown. */
  readonly flags: Arguments;
  readonly format: ReportFormat;
}

/** Renders the report of a run. @throws ReportError with it if the run failed */
export async function finishReport(
  context: Pick<Context, "pipeline" | "command" | "clean" | "host"> & Partial<Pick<Context, "engine">>,
  { command, ok, services, started, flags, format }: FinishedRun,
  more: Pick<Report, "version" | "gate" | "problems" | "record"> = {},
): Promise<string> {
  const durationMs = Math.round(performance.now() - started);
  const repeated = { ...flags, format: format !== "text" && format };
  const full: Report = {
    command,
    ok,
    engine: context.engine,
    pipeline: context.pipeline,
    began: new Date(Date.now() - durationMs).toISOString(),
    durationMs,
    services,
    ...more,
    ...(!ok && isRetryable({ command, services, ...more })
      ? nextOf(context.host.invocation ?? [context.command, command, ...argumentWords(repeated)].join(" "))
      : {}),
  };
  const named = nameReportCommands(full, context.command);
  const report = context.host.report?.(named) ?? mapTexts(named, context.clean);
  const text = await render(report, format, context.host.text);
  if (!ok) throw new ReportError(text, report);
  return text;
}
