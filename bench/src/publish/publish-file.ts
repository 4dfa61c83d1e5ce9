import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../samples.js";
import type { MeasuredPublish, PublishResults } from "./publish-results.js";

/** What docs/background/benchmarks.md shows of whole publishes. */
export const PUBLISHES = join(ROOT, "docs/background/publishes.json");

/** Results that were written before; undefined if there are none. Each run has its own commit and machine. */
export async function readPublishes(file = PUBLISHES): Promise<PublishResults | undefined> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  // Written by this benchmark; before 2026-11-29 without the runs' commits and machines.
  const results = JSON.parse(text) as PublishResults;
  const commitOf = ({ commit, code }: Partial<MeasuredPublish>): string =>
    commit ?? results.commits[code ?? ""] ?? "";
  const machineOf = ({ machine }: Partial<MeasuredPublish>): string => machine ?? results.machine;
  const runs = results.runs.map((run) => ({ ...run, commit: commitOf(run), machine: machineOf(run) }));
  return { ...results, runs };
}

/**
 * Adds a run. Rounds of the same code count together; what another commit took for the same kind of publish is replaced,
 * and whatever another machine took for the service. Other services and kinds stay.
 */
export function withRun(results: PublishResults, run: MeasuredPublish): PublishResults {
  const isReplaced = ({ service, code, kind, commit, machine }: MeasuredPublish): boolean =>
    service === run.service &&
    (machine !== run.machine || (code === run.code && kind === run.kind && commit !== run.commit));
  return { ...results, runs: [...results.runs.filter((each) => !isReplaced(each)), run] };
}

/** Adds all runs of one file to another's. */
export function merge(results: PublishResults, added: PublishResults): PublishResults {
  const commands = [...new Set([...results.commands, ...added.commands])];
  // Runs that both have are from the same file, written twice.
  const known = new Set(results.runs.map((run) => JSON.stringify(run)));
  const runs = added.runs.filter((run) => !known.has(JSON.stringify(run)));
  return runs.reduce(withRun, { ...added, commands, runs: results.runs });
}
