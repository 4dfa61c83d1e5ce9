import type { Problem } from "@tgo/errors";
import type { PruneSelection } from "@tgo/release-rules";
import { renderTable, type OutputFormat } from "./render-table.js";

/** One repository, and what pruning it means. */
export interface Pruned {
  readonly service: string;
  readonly registry: string;
  readonly selection: PruneSelection;
  /** Digests that were removed; none of a run that only looks. */
  readonly removed: readonly string[];
  readonly problem: Problem | undefined;
}

export function describePruned(pruned: readonly Pruned[], remove: boolean, format: OutputFormat): string {
  if (format === "json") return JSON.stringify({ prune: { removes: remove, repositories: pruned } }, null, 2);
  const rows = pruned.flatMap(({ service, registry, selection, removed, problem }) => [
    ...selection.remove.map(({ digest, tags, why }) => {
      const state = removed.includes(digest) ? "removed" : remove ? "failed" : "would be removed";
      return [service, registry, tags.join(", "), state, why];
    }),
    ...selection.keep.map(({ tag, why }) => [service, registry, tag, "kept", why]),
    ...(problem === undefined ? [] : [[service, registry, "", "failed", problem.what]]),
  ]);
  const remedies = new Set(pruned.flatMap(({ problem }) => problem?.remedy ?? []));
  const lines =
    rows.length === 0
      ? ["No candidate or staging tag anywhere."]
      : [renderTable(["service", "registry", "tags", "state", "why"], rows, format)];
  const wanting = pruned.some(({ selection }) => selection.remove.length > 0);
  if (!remove && wanting) lines.push("", "Nothing was removed: this only looked. Add --remove to remove.");
  return [...lines, ...[...remedies].flatMap((remedy) => ["", remedy])].join("\n");
}
