import { maskUrlCredentials } from "@tgo/redaction";
import { printableText } from "./printable-text.js";

/**
 * What kind of thing went wrong; stable, for programs. A reader of a JSON report switches on this, never on the
 * message.
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
  /** A built variant does not match its platform (ELF machine, architecture). */
  | "CHECK"
  /** A variant started, but did not respond as its service should. */
  | "SMOKE"
  /** Credentials are missing, wrong, or lack the required permission. */
  | "UNAUTHORIZED"
  /** A repository, tag, manifest or blob does not exist. */
  | "NOT_FOUND"
  /** A registry refuses, and retrying would not help. */
  | "DENIED"
  /** A registry cannot be reached, or its failure is transient. */
  | "UNAVAILABLE"
  /** A registry returned something other than what was requested (digest, media type, HTML). */
  | "INVALID_RESPONSE"
  /** A published image differs from the plan. */
  | "VERIFY"
  /** Something already published forbids it: a version's tag would change, `latest` would move backwards. */
  | "CONFLICT"
  /** The machine lacks something: an engine, a tool, emulation, root, disk space. */
  | "ENVIRONMENT"
  /** The caller stopped it. */
  | "INTERRUPTED"
  /** A defect of ours. */
  | "INTERNAL";

export interface TgoErrorDetails {
  /** Where it happened: a reference, a registry, a file, a field of the catalog. */
  readonly where?: string;
  /** What the reader should do; an exact command or flag wherever there is one. */
  readonly remedy?: string;
  readonly cause?: unknown;
}

/**
 * The product's one error class. The message alone is enough to act on: of a Dagger module's error, only the
 * message reaches the command line. Credentials in URLs are masked, whoever wrote them: `https://***@host`.
 */
export class TgoError extends Error {
  readonly code: TgoErrorCode;
  /** One sentence: what happened. */
  readonly what: string;
  readonly where: string | undefined;
  readonly remedy: string | undefined;

  constructor(code: TgoErrorCode, text: string, { cause, ...details }: TgoErrorDetails = {}) {
    const what = maskUrlCredentials(text);
    const where = details.where && maskUrlCredentials(details.where);
    const remedy = details.remedy && maskUrlCredentials(details.remedy);
    super(problemText({ what, where, remedy }), cause === undefined ? undefined : { cause });
    this.name = "TgoError";
    this.code = code;
    this.what = what;
    this.where = where;
    this.remedy = remedy;
  }
}

/** True for a TgoError from any copy of this package (a module's bundle carries its own). */
export function isTgoError(error: unknown): error is TgoError {
  return error instanceof Error && error.name === "TgoError" && "code" in error && "what" in error;
}

/** Where an error happened and its remedy, to build another error about the same thing. */
export function detailsOf({ where, remedy }: TgoError): Pick<TgoErrorDetails, "where" | "remedy"> {
  return { ...(where === undefined ? {} : { where }), ...(remedy === undefined ? {} : { remedy }) };
}

/** The first line of any thrown value, for a table cell. */
export function oneLine(error: unknown): string {
  const text = isTgoError(error) ? error.what : error instanceof Error ? error.message : String(error);
  return printableText(maskUrlCredentials(text)).split("\n", 1)[0] ?? "";
}

/** What an error's message and every list of problems have: any of the three may quote a file, a registry or a program. */
export function problemText({
  what,
  where,
  remedy,
}: {
  readonly what: string;
  readonly where?: string | undefined;
  readonly remedy?: string | undefined;
}): string {
  const lines = [where === undefined ? what : `${where}: ${what}`];
  if (remedy !== undefined) lines.push(...remedy.split("\n").map((line) => `  ${line}`));
  return printableText(lines.join("\n"));
}
