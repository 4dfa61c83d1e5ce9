import { applyOverride, parseOverrideFile } from "@tgo/catalog";
import { shellQuote, TgoError } from "@tgo/errors";
import { originUrl, TemporaryFolders } from "@tgo/git";
import { pathExists } from "@tgo/host";
import { draftCatalog, readCheckout, type CatalogFile } from "@tgo/scaffold";
import { realpath, stat, writeFile } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { EXIT } from "../command-process.js";
import { startedBy } from "../command-lines.js";
import { asker } from "./ask.js";
import type { OwnRun } from "./own-run.js";

/** Names under which a catalog is looked for before one is written. */
const NAMES = ["tgo.catalog.jsonc", "tgo.catalog.json"];

/**
 * Writes a catalog for a checkout. Never writes over a file, and never waits for an answer without a terminal.
 * @throws TgoError USAGE, SOURCE if there is nothing to ship
 */
export async function init({ invocation, process, output }: OwnRun): Promise<number> {
  const { words, flags } = invocation;
  const folder = await folderOf(resolve(process.cwd, words[0] ?? "."));
  const file =
    typeof flags.output === "string" ? resolve(process.cwd, flags.output) : join(folder, NAMES[0] ?? "");
  const existing = typeof flags.output === "string" ? [file] : NAMES.map((name) => join(folder, name));
  for (const path of existing) if (await pathExists(path)) throw exists(path, startedBy(process));
  const remote = await remoteOf(folder);
  const ask = asker(process, flags.yes === true, output.err);
  try {
    const draft = await draftCatalog(await readCheckout(folder), {
      name:
        remote
          ?.replace(/\.git$/, "")
          .split(/[/:]/)
          .at(-1) ?? basename(folder),
      folder,
      remote,
      registries: [flags.registry ?? []].flat() as string[],
      ask: ask.ask,
    });
    // What is written is what the loader accepts.
    applyOverride({ services: {} }, parseOverrideFile(draft.text, file), file);
    await write(file, draft.text);
    output.out(describe(draft, { file, folder, cwd: process.cwd, command: startedBy(process) }));
    return EXIT.ok;
  } finally {
    ask.close();
  }
}

async function folderOf(path: string): Promise<string> {
  const folder = await realpath(path).catch(() => undefined);
  if (folder !== undefined && (await stat(folder)).isDirectory()) return folder;
  throw new TgoError("USAGE", "no such folder", { where: path, remedy: "Check the path." });
}

function exists(path: string, command: string): TgoError {
  return new TgoError("USAGE", "it exists, and init writes over no file", {
    where: path,
    remedy: `Check it with ${command} catalog check --catalog ${shellQuote(path)}, or name another file with --output.`,
  });
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: "wx" });
  } catch (cause) {
    const reason =
      cause instanceof Error ? cause.message.replace(/^E\w+: ([^,]+),.*$/s, "$1") : String(cause);
    throw new TgoError("USAGE", `cannot write the catalog: ${reason}`, {
      where: file,
      remedy: "Name a file in a folder that you may write to with --output.",
      cause,
    });
  }
}

/** The address of the checkout's remote; a checkout that git must not read has none that is looked at. */
async function remoteOf(folder: string): Promise<string | undefined> {
  const folders = new TemporaryFolders();
  try {
    return await originUrl({ folder, folders });
  } catch {
    return undefined;
  } finally {
    await folders.remove();
  }
}

interface Place {
  readonly file: string;
  readonly folder: string;
  readonly cwd: string;
  readonly command: string;
}

/** What was found, what could not be told, and how to go on. */
function describe(
  { services, registries, leftOut }: CatalogFile,
  { file, folder, cwd, command }: Place,
): string {
  const path = relative(cwd, file) || file;
  const width = (texts: readonly string[]): number => Math.max(...texts.map((text) => text.length));
  const names = width(services.map(({ name }) => name));
  const strategies = width(services.map(({ draft }) => draft.definition.build.strategy));
  const gaps = [
    ...services.flatMap(({ name, draft }) => draft.gaps.map((gap) => `${name}: ${gap}`)),
    ...(registries.length === 0
      ? ["registries: where images are published (registries, or --registry)"]
      : []),
  ];
  const source = relative(cwd, folder) || ".";
  const call = (words: string): string => `  ${command} ${words} --catalog ${shellQuote(path)}`;
  const section = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  - ${line}`)];
  return [
    `${path} has been written`,
    "",
    ...services.map(
      ({ name, folder: at, draft }) =>
        `  ${name.padEnd(names)}  ${draft.definition.build.strategy.padEnd(strategies)}  ${at === "" ? "." : at}`,
    ),
    ...registries.map(({ name, host, repository }) => `  published to ${host}/${repository} (${name})`),
    ...section("could not be told", gaps),
    ...section(
      "left out",
      leftOut.map(({ folder: at, why }) => `${at === "" ? "." : at}: ${why}`),
    ),
    "",
    "next",
    call("catalog check"),
    `${call(`smoke --service ${services.map(({ name }) => name).join(",")}`)} --source ${shellQuote(source)}`,
    `${call(`publish --service ${services.map(({ name }) => name).join(",")}`)} --source ${shellQuote(source)}`,
    "",
  ].join("\n");
}
