import { selectServices } from "@tgo/catalog";
import { prune as pruneTags } from "@tgo/publishing";
import { renderPrune, type OutputFormat } from "@tgo/report";
import { openContext, type Call } from "./call.js";
import { FunctionFailed } from "./function-failed.js";
import { requireWhole } from "./refuse-empty.js";

export interface PruneFlags {
  /** Minimum age of removed tags. */
  readonly days: number;
  /** Keep the N newest candidates. */
  readonly keep: number;
  /** Also remove tags of unknown age. */
  readonly undated: boolean;
}

const DAY_MS = 24 * 3600 * 1000;

/** What removes the images that were listed, in words for who sees the list. */
const REMOVES = {
  command: "Add --remove to remove these images.",
  module: "The function prune-apply, with the same flags, removes these images.",
};

/**
 * Lists candidate, staging and variant tags whose image is not released.
 * @throws FunctionFailed with the list when a registry failed
 */
export function prune(
  call: Call,
  names: readonly string[],
  flags: PruneFlags,
  format: OutputFormat,
): Promise<string> {
  return run(call, names, { ...flags, remove: false }, format);
}

/**
 * Removes candidate, staging and variant tags whose image is not released.
 * @throws FunctionFailed with the list when a registry failed
 */
export function pruneApply(
  call: Call,
  names: readonly string[],
  flags: PruneFlags,
  format: OutputFormat,
): Promise<string> {
  return run(call, names, { ...flags, remove: true }, format);
}

async function run(
  call: Call,
  names: readonly string[],
  { days, ...flags }: PruneFlags & { readonly remove: boolean },
  format: OutputFormat,
): Promise<string> {
  // A century; a date before that is not one for JavaScript at some point.
  requireWhole("days", days, { max: 36_500 });
  requireWhole("keep", flags.keep, { max: 1_000_000 });
  const context = await openContext(call);
  const selected = selectServices(context.catalog, names);
  const before = new Date(Date.now() - days * DAY_MS);
  const pruned = await pruneTags(context, selected, { ...flags, before });
  const text = renderPrune(
    pruned,
    flags.remove ? undefined : REMOVES[call.host.local === true ? "command" : "module"],
    format,
  );
  if (pruned.some(({ problem }) => problem !== undefined)) throw new FunctionFailed(text);
  return text;
}
