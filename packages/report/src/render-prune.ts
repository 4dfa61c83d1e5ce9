import { printableText, type Problem } from "@tgo/errors";
import type { PruneSelection } from "@tgo/release-rules";
import { jsonText } from "./printable-text.js";
import { renderTable, type OutputFormat } from "./render-table.js";

/** What pruning did, or would do, in one repository. */
export interface PruneResult {
  readonly service: string;
  readonly registry: string;
  readonly selection: PruneSelection;
  /** Digests that were removed; empty for a dry run. */
  readonly removed: readonly string[];
  readonly problem: Problem | undefined;
}

/** @param removes of a dry run: what removes the images, a sentence; undefined where they were removed */
export function renderPrune(
  results: readonly PruneResult[],
  removes: string | undefined,
  format: OutputFormat,
): string {
  const remove = removes === undefined;
  if (format === "json") return jsonText({ prune: { removes: remove, repositories: results } });
  const rows = results.flatMap(({ service, registry, selection, removed, problem }) => [
    ...selection.remove.map(({ digest, tags, why }) => {
      const state = removed.includes(digest) ? "removed" : remove ? "failed" : "would be removed";
      return [service, registry, tags.join(", "), state, why];
    }),
    ...selection.keep.map(({ tag, why }) => [service, registry, tag, "kept", why]),
    ...(problem === undefined ? [] : [[service, registry, "", "failed", problem.what]]),
  ]);
  const remedies = new Set(results.flatMap(({ problem }) => problem?.remedy ?? []));
  const lines =
    rows.length === 0
      ? ["No registry has candidate or staging tags."]
      : [renderTable(["service", "registry", "tags", "state", "why"], rows, format)];
  const removable = results.some(({ selection }) => selection.remove.length > 0);
  if (removes !== undefined && removable) lines.push("", `Nothing was removed (dry run). ${removes}`);
  return [...lines, ...[...remedies].flatMap((remedy) => ["", printableText(remedy)])].join("\n");
}
