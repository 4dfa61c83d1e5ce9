import { isRetryable, render, REPORT_FORMATS, withTexts, type Report } from "@tgo/report";
import { appendFile, writeFile } from "node:fs/promises";
import type { Failure } from "./failure.js";
import type { Output } from "./output.js";
import { EXIT, type CliProcess } from "./process.js";
import type { Invocation } from "./program.js";
import { reportFiles, type ReportFile } from "./report-files.js";
import { sameCommand } from "./shell-quote.js";
import { makesReport, type ModuleApi } from "./module-api.js";

interface Place {
  readonly invocation: Invocation;
  readonly surface: ModuleApi;
  readonly process: Pick<CliProcess, "argv" | "env" | "cwd">;
  readonly output: Output;
}

/**
 * What becomes of a function's report besides its text on stdout: the files asked for with --report, and the job
 * summary of GitHub's CI. Written in success as in failure; a run that fails before it has a report gets one of that.
 */
export class Reporting {
  readonly #started = performance.now();
  #seen: Report | undefined;

  private constructor(
    private readonly place: Place,
    private readonly files: readonly ReportFile[],
  ) {}

  /** @throws TgoError USAGE for a file that cannot be written */
  static async open(place: Place): Promise<Reporting> {
    return new Reporting(place, await reportFiles(place.invocation.settings.reports, place.process.cwd));
  }

  /** Takes the report of a function, and returns what may be shown of it. */
  readonly see = (report: Report): Report => {
    this.#seen = withTexts(report, this.place.output.clean);
    return this.#seen;
  };

  /** For stdout: what a run failed of before it had a report; undefined where text or no report was asked for. */
  earlyText(failure: Failure): string | undefined {
    const format = REPORT_FORMATS.find((each) => each === this.place.invocation.values.get("format"));
    if (!this.#reports() || format === undefined || format === "text") return undefined;
    return render(this.#early(failure), format);
  }

  /** The report of a run that failed before its function had one. */
  #early({ code, what, where, remedy, output }: Failure): Report {
    const { invocation, process } = this.place;
    const problems = [
      { code, what: [what, ...output.map((line) => `  | ${line}`)].join("\n"), where, remedy },
    ];
    const durationMs = Math.round(performance.now() - this.#started);
    return withTexts(
      {
        // Functions that make reports are the ones a report can be of.
        command: invocation.function.command as Report["command"],
        ok: false,
        engine: undefined,
        began: new Date(Date.now() - durationMs).toISOString(),
        durationMs,
        services: [],
        problems,
        next: isRetryable({ services: [], problems }) ? sameCommand(process.argv, process.env) : undefined,
      },
      this.place.output.clean,
    );
  }

  /**
   * Writes the files and the summary.
   * @param code what the run ended with
   * @returns the exit code: a success whose files could not be written is none; a summary changes nothing
   */
  async end(code: number, failure?: Failure): Promise<number> {
    const report = this.#final(failure);
    if (report === undefined) return code;
    const { output } = this.place;
    await this.#summarize(report);
    let lost = false;
    for (const { path, format } of this.files) {
      try {
        await writeFile(path, withLineEnd(render(report, format)));
      } catch (error) {
        lost = true;
        output.err(`tgo: the report could not be written (--report): ${messageOf(error)}\n`);
      }
    }
    return lost && code === EXIT.ok ? EXIT.failure : code;
  }

  #reports(): boolean {
    return makesReport(this.place.invocation.function, this.place.surface);
  }

  #final(failure: Failure | undefined): Report | undefined {
    if (failure === undefined) return this.#seen;
    if (this.#seen === undefined) return this.#early(failure);
    if (!this.#seen.ok) return this.#seen;
    // What failed after the report was made, such as the engine's end.
    return { ...this.#seen, ok: false, problems: this.#early(failure).problems };
  }

  /** @see https://docs.github.com/actions/reference/workflow-commands-for-github-actions#adding-a-job-summary */
  async #summarize(report: Report): Promise<void> {
    const { process, output } = this.place;
    const path = process.env.GITHUB_STEP_SUMMARY ?? "";
    if (path === "" || !this.#reports()) return;
    try {
      // The step may have written there, without a line's end.
      await appendFile(path, `\n${render(report, "markdown")}`);
    } catch (error) {
      output.err(
        `tgo: warning: the job summary could not be written (GITHUB_STEP_SUMMARY): ${messageOf(error)}\n`,
      );
    }
  }
}

function withLineEnd(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
