import type { Source } from "./load-source.js";
import { UNKNOWN_TIME } from "./times.js";

/**
 * Notes for the report about a source whose revision or time is not simply that of a commit.
 */
export function commitNotes(source: Pick<Source, "revision" | "created" | "uncommitted">): string[] {
  const { revision, created, uncommitted } = source;
  if (isWithoutCommit(source)) {
    return [
      `the revision is derived from the source's content: ${whyUncommitted(source)}; ` +
        "such a candidate can be pulled and tried, but never released",
    ];
  }
  const changes = uncommitted !== undefined && "changed" in uncommitted ? whyUncommitted(source) : undefined;
  return [
    ...(changes === undefined ? [] : [`revision ${revision} was passed by --revision, but ${changes}`]),
    ...(created.getTime() === UNKNOWN_TIME.getTime()
      ? ["the image is dated 1980-01-01 because the time of its revision is unknown; set it with --created"]
      : []),
  ];
}

/** Whether the revision is derived from the source's content instead of a commit. */
export function isWithoutCommit({ revision }: Pick<Source, "revision">): boolean {
  return revision.startsWith("dev-");
}

const MAX_FILES = 3;
const MAX_DIFFERENCES = 10;

/** Why the source does not equal a commit, phrased to follow a colon. */
export function whyUncommitted({ uncommitted }: Pick<Source, "uncommitted">): string {
  if (uncommitted === undefined) return "its commit is unknown (pass --revision)";
  if ("why" in uncommitted) return uncommitted.why;
  if ("differs" in uncommitted) {
    return `the folder differs from the commit: ${listed(uncommitted.differs, MAX_DIFFERENCES)}`;
  }
  const { changed } = uncommitted;
  return `${changed.length === 1 ? "a change is" : "changes are"} not committed: ${listed(changed, MAX_FILES)}`;
}

function listed(files: readonly string[], max: number): string {
  const named = files.slice(0, max).join(", ");
  return files.length > max ? `${named} and ${files.length - max} more` : named;
}
