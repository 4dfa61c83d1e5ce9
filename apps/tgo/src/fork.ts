import { readInputFile } from "@tgo/host";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Whether a CI job runs for a pull or merge request from a fork: it gets no secrets, and a token that can only read.
 * @see https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows#workflows-in-forked-repositories
 * @see https://docs.gitlab.com/ci/pipelines/merge_request_pipelines/#use-with-forked-projects
 */
export async function isForkRun(env: Env): Promise<boolean> {
  const { CI_MERGE_REQUEST_SOURCE_PROJECT_PATH: source, CI_MERGE_REQUEST_PROJECT_PATH: target } = env;
  if (source !== undefined && target !== undefined) return source !== target;
  if (env.GITHUB_EVENT_NAME !== "pull_request" || env.GITHUB_EVENT_PATH === undefined) return false;
  try {
    const { bytes } = await readInputFile(env.GITHUB_EVENT_PATH);
    const event = JSON.parse(bytes.toString()) as {
      pull_request?: { head?: { repo?: { full_name?: unknown } | null } };
      repository?: { full_name?: unknown };
    } | null;
    // A fork that was deleted is null.
    return event?.pull_request?.head?.repo?.full_name !== event?.repository?.full_name;
  } catch {
    return false;
  }
}
