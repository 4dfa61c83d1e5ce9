import type { Report } from "@tgo/report";
import { ReportError } from "../../src/function-failed.js";

/** The report of a run that must fail. */
export async function failedReport(run: Promise<string>): Promise<Report> {
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ReportError) return error.report;
  throw error instanceof Error ? error : new Error("the run did not fail");
}
