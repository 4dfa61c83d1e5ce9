import { TgoError } from "@tgo/errors";
import type { ReportFormat } from "@tgo/report";
import { extname, resolve } from "node:path";
import { writeProblem } from "./write-problem.js";

/** A file for the report. */
export interface ReportFile {
  readonly path: string;
  readonly format: ReportFormat;
}

const FORMATS: Readonly<Record<string, ReportFormat>> = {
  ".html": "html",
  ".htm": "html",
  ".md": "markdown",
  ".markdown": "markdown",
  ".json": "json",
  ".txt": "text",
};

/**
 * The files of --report, checked before the run starts.
 * @throws TgoError USAGE for an extension without a format, and for a path that cannot be written
 */
export async function reportFiles(given: readonly string[], cwd: string): Promise<ReportFile[]> {
  const files = new Map<string, ReportFile>();
  for (const name of given) {
    const path = resolve(cwd, name);
    const format = FORMATS[extname(path).toLowerCase()];
    if (format === undefined) {
      throw new TgoError("USAGE", `--report ${name}: unknown file extension`, {
        remedy: "Known extensions: .html, .md, .json, .txt.",
      });
    }
    const reason = await writeProblem(path);
    if (reason !== undefined) {
      throw new TgoError("USAGE", `cannot write the report (--report): ${reason}`, {
        where: path,
      });
    }
    files.set(path, { path, format });
  }
  return [...files.values()];
}
