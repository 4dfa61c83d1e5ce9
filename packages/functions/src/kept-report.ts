import { TgoError } from "@tgo/errors";
import { render, type Report, type ReportFormat } from "@tgo/report";
import { FunctionFailed, ReportError } from "./function-failed.js";

/** A report, as an object of a module keeps it and as it is read. */
export interface KeptReport {
  readonly json: string;
  readonly report: Report;
}

/** A kept report in a format. */
export async function renderReport(json: string, format: ReportFormat): Promise<string> {
  const text = await render(JSON.parse(json) as Report, format);
  return `${text.trimEnd()}\n`;
}

/** A kept report's release record, as JSON. @throws TgoError NOT_FOUND if no registry takes one */
export function renderRecord(json: string): string {
  const { record } = JSON.parse(json) as Report;
  if (record !== undefined) return `${JSON.stringify(record, null, 2)}\n`;
  throw new TgoError("NOT_FOUND", "the release has no record");
}

/**
 * The report of a function, whether it failed or not.
 * @param text of the function, in JSON
 */
export async function outcome(text: Promise<string>): Promise<KeptReport> {
  const json = await text.catch((error: unknown) => {
    if (error instanceof ReportError) return error.message;
    throw error;
  });
  return { json, report: JSON.parse(json) as Report };
}

/** {@link outcome}. @throws FunctionFailed with the report as text if the function failed */
export async function succeeded(text: Promise<string>): Promise<KeptReport> {
  const result = await outcome(text);
  if (!result.report.ok) throw new FunctionFailed(await renderReport(result.json, "text"));
  return result;
}
