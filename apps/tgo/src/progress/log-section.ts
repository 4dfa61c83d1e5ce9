import type { CommandProcess } from "../command-process.js";

/** A part of a CI job's log that readers can fold away: the steps, around which the report stays in sight. */
export interface LogSection {
  readonly open: () => void;
  readonly close: () => void;
}

/**
 * The section that this CI service knows, if any.
 * @see https://docs.github.com/actions/reference/workflow-commands-for-github-actions#grouping-log-lines
 * @see https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections
 */
export function logSection({ env, stderr }: Pick<CommandProcess, "env" | "stderr">): LogSection | undefined {
  if (env.GITHUB_ACTIONS === "true") {
    return {
      open: () => stderr.write("::group::tgo: steps\n"),
      close: () => stderr.write("::endgroup::\n"),
    };
  }
  if (env.GITLAB_CI !== "true") return undefined;
  // GitLab's own marks: a time in seconds, then what erases the line from a terminal.
  const mark = (kind: "start" | "end", title: string): void => {
    const seconds = Math.floor(Date.now() / 1000);
    stderr.write(`\u001B[0Ksection_${kind}:${seconds}:tgo_steps\r\u001B[0K${title}\n`);
  };
  return {
    open: () => {
      mark("start", "tgo: steps");
    },
    close: () => {
      mark("end", "");
    },
  };
}
