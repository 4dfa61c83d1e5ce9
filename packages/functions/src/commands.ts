import type { File, Secret, Service as DaggerService } from "@dagger.io/dagger";
import { flagOf, wordsOfFlag } from "@tgo/errors";
import { mapTexts, type Report } from "@tgo/report";
import type { HostOptions } from "./host.js";
import type { Options } from "./options.js";

/**
 * Stands for a path, which Dagger does not tell a module: ids are numbers of the engine's (dagql/call/id.go), and a file
 * says only its name. A command with it fails until it is filled in, and its text says so.
 */
const UNKNOWN = "FILL_IN";

const FILL_IN = `Put your own path in the place of each ${UNKNOWN}: Dagger does not tell it to a module.`;

/** Our texts name a function `tgo NAME`, whoever reads them. */
const COMMAND =
  /(?<![\w./-]|-install )tgo (?=(?:services|plan|lock-bases|build-variant|build|smoke|preflight|publish|release|promote|status|watch|prune-apply|prune|verify|inspect|tags|diff|combine|export|import)\b)/g;

/** Texts of others, and commands that are complete already. */
const QUOTED: ReadonlySet<string> = new Set(["what", "lines", "next"]);

/** Arguments of a function by name; undefined, false and empty ones are not given. */
export type Arguments = Readonly<Record<string, unknown>>;

/** A command line starts like this: a module's has the constructor's flags before the function's name. */
export async function commandStart(options: Options, host: HostOptions): Promise<string> {
  if (host.local === true) return host.command ?? "tgo";
  return ["dagger call", ...argumentWords(await constructorFlags(options))].join(" ");
}

/**
 * Names functions in a text as its reader has to type them.
 * @param start see {@link commandStart}
 * @param end what goes before a remark on an incomplete command, which may be the text's last line
 */
export function nameCommands(text: string, start: string, end = "\n"): string {
  const named = text.replaceAll(COMMAND, () => `${start} `);
  if (named === text || !start.includes(UNKNOWN)) return named;
  const closed = end === "\n" || /[.!?]$/.test(named) ? named : `${named}.`;
  return `${closed}${end}${FILL_IN}`;
}

export function nameReportCommands(report: Report, start: string): Report {
  return mapTexts(report, (text, field) =>
    QUOTED.has(field) ? text : nameCommands(text, start, field === "remedy" ? "\n" : " "),
  );
}

/** What continues a run: the command, or how to make it where a part is unknown. */
export function nextOf(line: string): Pick<Report, "next" | "nextInWords"> {
  const hidden = [...new Set(line.match(new RegExp(`--\\S+(?= ${UNKNOWN})`, "g")))];
  if (hidden.length === 0) return { next: line };
  return { nextInWords: `run the same command again, with the same ${hidden.join(", ")}` };
}

/** Arguments as flags, in words of a POSIX shell. */
export function argumentWords(given: Arguments): string[] {
  return Object.entries(given).flatMap(([name, value]) => {
    const flag = flagOf(name);
    if (value === undefined || value === false) return [];
    if (value === true) return wordsOfFlag(flag, value);
    return wordsOfFlag(flag, Array.isArray(value) ? value.map(textOf) : textOf(value));
  });
}

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : UNKNOWN;
}

/** The constructor's arguments as flags; the others are none of a command line's. */
async function constructorFlags(options: Options): Promise<Arguments> {
  const given = Object.entries({ ...options, repos: undefined, repositories: undefined, logins: undefined });
  return Object.fromEntries(
    await Promise.all(given.map(async ([name, value]) => [name, await addressOf(value)] as const)),
  );
}

/** How the command line gave an argument, as far as Dagger tells: a secret's address, a file's name, a tunnel's port. */
async function addressOf(value: unknown): Promise<unknown> {
  if (Array.isArray(value)) return Promise.all(value.map(addressOf));
  if (typeof value !== "object" || value === null) return value;
  const told = value as Secret | DaggerService | File;
  const address =
    "uri" in told
      ? told.uri()
      : "endpoint" in told
        ? told.endpoint().then((endpoint) => endpoint.replace(/^.*:/, "tcp://localhost:"))
        : told.name().then((name) => `${UNKNOWN}/${name}`);
  return (await address.catch(() => "")) || UNKNOWN;
}
