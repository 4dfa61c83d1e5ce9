/**
 * What kind of thing went wrong; stable, for programs.
 * A program that reads a JSON report switches on this, never on the message.
 */
export type TgoErrorCode =
  /** The caller's input is wrong: an unknown name, a malformed value, a missing file. */
  | "USAGE"
  /** The catalog does not parse. */
  | "CATALOG"
  /** The service's source is missing, or lacks what its build strategy needs. */
  | "SOURCE"
  /** The build itself failed. */
  | "BUILD"
  /** A built variant is not what its platform says (ELF machine, architecture). */
  | "CHECK"
  /** A variant started, but did not answer as its service should. */
  | "SMOKE"
  /** No credentials, wrong ones, or ones without the needed right. */
  | "UNAUTHORIZED"
  /** A repository, tag, manifest or blob is not there. */
  | "NOT_FOUND"
  /** A registry refuses, and repeating would not help. */
  | "DENIED"
  /** A registry cannot be reached, or answers with a fault that may pass. */
  | "UNAVAILABLE"
  /** What a registry returned is not what was asked for (digest, media type, HTML). */
  | "INVALID_RESPONSE"
  /** A published image differs from the plan. */
  | "VERIFY"
  /** What is already published forbids it: a version's tag would change, `latest` would move where it must not. */
  | "CONFLICT"
  /** The machine lacks something: an engine, a tool, emulation, root, disk. */
  | "ENVIRONMENT"
  /** The caller stopped it. */
  | "INTERRUPTED"
  /** A foreseen place, an unforeseen fault: a defect of ours. */
  | "INTERNAL";

export interface TgoErrorDetails {
  /** Where it happened: a reference, a registry, a file, a field of the catalog. */
  readonly where?: string | undefined;
  /** What the reader should do; an exact command or flag wherever there is one. */
  readonly remedy?: string | undefined;
  readonly cause?: unknown;
}

/**
 * The one error of this product. Its message alone is enough to act on, because a Dagger module's error
 * reaches the command line by its message only.
 */
export class TgoError extends Error {
  readonly code: TgoErrorCode;
  /** One sentence: what happened. */
  readonly what: string;
  readonly where: string | undefined;
  readonly remedy: string | undefined;

  constructor(code: TgoErrorCode, what: string, { where, remedy, cause }: TgoErrorDetails = {}) {
    super(render(what, where, remedy), cause === undefined ? undefined : { cause });
    this.name = "TgoError";
    this.code = code;
    this.what = what;
    this.where = where;
    this.remedy = remedy;
  }
}

/** True for a TgoError of any copy of this package (a module's bundle carries its own). */
export function isTgoError(error: unknown): error is TgoError {
  return error instanceof Error && error.name === "TgoError" && "code" in error && "what" in error;
}

/** The first line of any thrown value, for a table's cell. */
export function oneLine(error: unknown): string {
  const text = isTgoError(error) ? error.what : error instanceof Error ? error.message : String(error);
  return text.split("\n", 1)[0] ?? "";
}

function render(what: string, where: string | undefined, remedy: string | undefined): string {
  const lines = [where === undefined ? what : `${where}: ${what}`];
  if (remedy !== undefined) lines.push(...remedy.split("\n").map((line) => `  ${line}`));
  return lines.join("\n");
}
