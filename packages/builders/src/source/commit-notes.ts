import { UNKNOWN_TIME, type Source } from "./load-source.js";

/**
 * What a report says of a source's revision and time, where they are not simply a commit's.
 * @returns sentences for the notes
 */
export function commitNotes(source: Pick<Source, "revision" | "created" | "uncommitted">): string[] {
  const { revision, created, uncommitted } = source;
  if (isWithoutCommit(source)) {
    return [
      `revision ${revision} is the source's content: ${whyUncommitted(source)}; ` +
        "such a candidate can be pulled and tried, but never released",
    ];
  }
  const changes = uncommitted !== undefined && "changed" in uncommitted ? whyUncommitted(source) : undefined;
  return [
    ...(changes === undefined ? [] : [`revision ${revision} is as it was given, although ${changes}`]),
    ...(created.getTime() === UNKNOWN_TIME.getTime()
      ? ["the image's date is 1980-01-01, as the time of its revision is not known; --created says better"]
      : []),
  ];
}

/** Whether only the source's content names it. */
export function isWithoutCommit({ revision }: Pick<Source, "revision">): boolean {
  return revision.startsWith("dev-");
}

const FILES_NAMED = 3;

/** Why no commit is exactly the source, in words that follow a colon. */
export function whyUncommitted({ uncommitted }: Pick<Source, "uncommitted">): string {
  if (uncommitted === undefined) return "no commit of it is known (--revision says it)";
  if ("why" in uncommitted) return uncommitted.why;
  const { changed } = uncommitted;
  const named = changed.slice(0, FILES_NAMED).join(", ");
  const more = changed.length - FILES_NAMED;
  const files = more > 0 ? `${named} and ${more} more` : named;
  return `${changed.length === 1 ? "a change is" : "changes are"} not committed: ${files}`;
}
