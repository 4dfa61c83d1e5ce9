import { isDiskFull, type Problem } from "@tgo/errors";
import { findings, isRetryable, render, REPORT_FORMATS, mapTexts, type Report } from "@tgo/report";
import { appendFile, writeFile } from "node:fs/promises";
import { annotations } from "./annotations.js";
import type { Failure } from "./failure.js";
import type { Output } from "./output.js";
import { EXIT, type CommandProcess } from "./command-process.js";
import type { Invocation } from "./command-line.js";
import { isForkRun } from "./fork.js";
import { digestsOf, outputsOf } from "./github-output.js";
import { reportFiles, type ReportFile } from "./report-files.js";
import { sameCommand } from "./command-lines.js";
import { makesReport, type ModuleApi } from "./module-api.js";
import { writeProblem } from "./write-problem.js";

interface ReportingOptions {
  readonly invocation: Invocation;
  readonly moduleApi: ModuleApi;
  readonly process: Pick<CommandProcess, "name" | "argv" | "env" | "cwd">;
  readonly output: Output;
}

/**
 * Writes a function's report to the --report files and to GitHub's job summary, on success and on failure. A run that
 * fails before its function has made a report gets one that says so.
 */
export class Reporting {
  readonly #started = performance.now();
  #report: Report | undefined;

  private constructor(
    private readonly options: ReportingOptions,
    private readonly files: readonly ReportFile[],
  ) {}

  /** @throws TgoError USAGE for a file that cannot be written */
  static async open(options: ReportingOptions): Promise<Reporting> {
    return new Reporting(
      options,
      await reportFiles(options.invocation.settings.reports, options.process.cwd),
    );
  }

  /** Accepts the function's report, and returns it with credentials redacted. */
  readonly accept = (report: Report): Report => {
    this.#report = mapTexts(report, this.options.output.clean);
    return this.#report;
  };

  /** For stdout: the report of a run that failed before its function made one; undefined for text and without a report. */
  async failureText(failure: Failure): Promise<string | undefined> {
    const format = REPORT_FORMATS.find((each) => each === this.options.invocation.values.get("format"));
    if (!this.#makesReport() || format === undefined || format === "text") return undefined;
    return render(this.#failureReport(failure), format);
  }

  /** The report of a run that failed before its function made one. */
  #failureReport(failure: Failure): Report {
    const { invocation, process } = this.options;
    const problem = problemOf(failure);
    // Only functions that make a report get here, and their names are its commands.
    const command = invocation.function.command as Report["command"];
    const durationMs = Math.round(performance.now() - this.#started);
    return mapTexts(
      {
        command,
        ok: false,
        engine: undefined,
        began: new Date(Date.now() - durationMs).toISOString(),
        durationMs,
        services: [],
        problems: [problem],
        ...(isRetryable({ command, services: [], problems: [problem] })
          ? { next: sameCommand(process) }
          : {}),
      },
      this.options.output.clean,
    );
  }

  /**
   * Writes the files and the job summary.
   * @param code the run's exit code so far
   * @returns the exit code: a failure if a file could not be written; the job summary does not affect it
   */
  async end(code: number, failure?: Failure): Promise<number> {
    const report = this.#final(failure);
    if (report === undefined) return code;
    const { output } = this.options;
    await this.#summarize(report);
    await this.#setOutputs(report);
    this.#annotate(report);
    await this.#explainFork(report);
    let failed = false;
    for (const { path, format } of this.files) {
      try {
        await writeFile(path, withFinalNewline(await render(report, format)));
      } catch (error) {
        failed = true;
        output.err(`tgo: cannot write the report (--report): ${messageOf(error, path)}\n`);
      }
    }
    return failed && code === EXIT.ok ? EXIT.failure : code;
  }

  #annotate(report: Report): void {
    const { env, cwd } = this.options.process;
    if (env.GITHUB_ACTIONS !== "true" || report.ok || !this.#makesReport()) return;
    const lines = annotations(report, env.GITHUB_WORKSPACE ?? cwd);
    this.options.output.err(lines.map((line) => `${line}\n`).join(""));
  }

  async #explainFork(report: Report): Promise<void> {
    if (report.ok || !isDenied(report) || !(await isForkRun(this.options.process.env))) return;
    this.options.output.err(
      "tgo: this run is for a pull request from a fork: it gets no secrets, so it cannot push. To check the images without pushing, run smoke.\n",
    );
  }

  #makesReport(): boolean {
    return makesReport(this.options.invocation.function, this.options.moduleApi);
  }

  #final(failure: Failure | undefined): Report | undefined {
    if (failure === undefined) return this.#report;
    if (this.#report === undefined) return this.#failureReport(failure);
    if (!this.#report.ok) return this.#report;
    // Something failed after the report was made, such as closing the engine.
    return mapTexts(
      { ...this.#report, ok: false, problems: [problemOf(failure)] },
      this.options.output.clean,
    );
  }

  /** @see https://docs.github.com/actions/reference/workflow-commands-for-github-actions#adding-a-job-summary */
  async #summarize(report: Report): Promise<void> {
    await this.#append("GITHUB_STEP_SUMMARY", "the job summary", () => render(report, "markdown"));
  }

  /** @see https://docs.github.com/actions/reference/workflow-commands-for-github-actions#setting-an-output-parameter */
  async #setOutputs(report: Report): Promise<void> {
    if (!report.ok || Object.keys(digestsOf(report)).length === 0) return;
    await this.#append("GITHUB_OUTPUT", "the step's output", () => outputsOf(report));
  }

  /** Appends to a file that the runner names; that it cannot be written is a warning. */
  async #append(variable: string, what: string, text: () => string | Promise<string>): Promise<void> {
    const { process, output } = this.options;
    const path = process.env[variable] ?? "";
    if (path === "" || !this.#makesReport()) return;
    // The step may have written to it, without a final newline.
    const append = async (): Promise<void> => appendFile(path, `\n${await text()}`);
    const problem =
      (await writeProblem(path)) ??
      (await append().then(
        () => undefined,
        (error: unknown) => messageOf(error, path),
      ));
    if (problem !== undefined) output.err(`tgo: warning: cannot write ${what} (${variable}): ${problem}\n`);
  }
}

const isDenied = (report: Report): boolean =>
  findings(report).some(({ problem: { code } }) => code === "DENIED" || code === "UNAUTHORIZED");

function problemOf({ code, what, where, remedy, output }: Failure): Problem {
  return {
    code,
    what: [what, ...output.map((line) => `  | ${line}`)].join("\n"),
    ...(where === undefined ? {} : { where }),
    ...(remedy === undefined ? {} : { remedy }),
  };
}

function withFinalNewline(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}

function messageOf(error: unknown, path: string): string {
  if (isDiskFull(error)) return `the disk of ${path} is full: free space, or name a file on another disk`;
  return error instanceof Error ? error.message : String(error);
}
