import { TgoError } from "@tgo/errors";
import type { ReportFormat } from "@tgo/report";
import { access, constants, stat } from "node:fs/promises";
import { dirname, extname, resolve } from "node:path";

/** A file that a report is to be written to. */
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
 * The files of --report, each looked at before the long work starts.
 * @throws TgoError USAGE for an ending that says no format, and for a place that cannot be written to
 */
export async function reportFiles(given: readonly string[], cwd: string): Promise<ReportFile[]> {
  const files = new Map<string, ReportFile>();
  for (const name of given) {
    const path = resolve(cwd, name);
    const format = FORMATS[extname(path).toLowerCase()];
    if (format === undefined) {
      throw new TgoError("USAGE", `--report ${name}: the file's ending says no format`, {
        remedy: "Endings: .html, .md, .json, .txt.",
      });
    }
    const reason = await hindrance(path);
    if (reason !== undefined) {
      throw new TgoError("USAGE", `the report cannot be written there (--report): ${reason}`, {
        where: path,
      });
    }
    files.set(path, { path, format });
  }
  return [...files.values()];
}

async function hindrance(path: string): Promise<string | undefined> {
  const folder = dirname(path);
  const [file, parent] = await Promise.all([path, folder].map((each) => stat(each).catch(() => undefined)));
  if (parent?.isDirectory() !== true) return `there is no folder ${folder}`;
  if (file?.isDirectory() === true) return "it is a folder";
  try {
    await access(file === undefined ? folder : path, constants.W_OK);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
