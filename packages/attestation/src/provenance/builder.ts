const PAGE = "https://github.com/tgoai/tgo-pipelines/blob/main/docs/guides/provenance.md";

/** Who ran the build is not known: a module sees nothing of its caller. */
export const UNKNOWN_BUILDER = `${PAGE}#unknown-builder`;
/** A person's machine, or a CI that sets none of the variables known here. */
export const LOCAL_BUILDER = `${PAGE}#local-builder`;

/**
 * Who runs this build, by the variables of its environment. A claim: anybody can set them. Who signed the statement is
 * what can be checked. Nothing of a single run is in it, such as its number: the same build gives the same statement.
 * @returns a URI
 * @see https://docs.github.com/en/actions/reference/workflows-and-actions/variables
 * @see https://docs.gitlab.com/ci/variables/predefined_variables/
 */
export function builderOf(env: Readonly<Record<string, string | undefined>>): string {
  const { GITHUB_ACTIONS, GITHUB_SERVER_URL, GITHUB_WORKFLOW_REF } = env;
  if (GITHUB_ACTIONS === "true" && GITHUB_WORKFLOW_REF)
    return uriOf(`${GITHUB_SERVER_URL ?? "https://github.com"}/${GITHUB_WORKFLOW_REF}`);
  const { GITLAB_CI, CI_PROJECT_URL, CI_CONFIG_PATH, CI_COMMIT_REF_NAME } = env;
  if (GITLAB_CI === "true" && CI_PROJECT_URL) {
    const ref = CI_COMMIT_REF_NAME ? `@${CI_COMMIT_REF_NAME}` : "";
    return uriOf(`${CI_PROJECT_URL}//${CI_CONFIG_PATH ?? ".gitlab-ci.yml"}${ref}`);
  }
  return LOCAL_BUILDER;
}

function uriOf(text: string): string {
  return URL.canParse(text) && /^https?:/.test(text) ? text : LOCAL_BUILDER;
}
