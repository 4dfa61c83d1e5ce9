import { count, jsonText, renderLine, renderTable, size, type OutputFormat } from "@tgo/report";
import type { Combination } from "./combine.js";
import type { WrittenTag } from "./written-tag.js";
import type { LayoutImport } from "./layout/import-layout.js";

/** What was combined, or would be, for a person; or as JSON: a {@link Combination}. */
export function renderCombination(combination: Combination, format: OutputFormat): string {
  if (format === "json") return jsonText(combination);
  const { digest, platforms, targets, annotations, notes } = combination;
  const line = (text: string): string => renderLine(text, format);
  const blocks = [
    line(`index ${digest}`),
    renderTable(
      ["platform", "digest", "from"],
      platforms.map(({ platform, digest: own, from }) => [platform, own, from]),
      format,
    ),
    ...Object.entries(annotations).map(([key, value]) => line(`annotation ${key} = ${value}`)),
    targetTable(targets, format),
    ...notes.map((note) => line(`note: ${note}`)),
    ...targetProblems(targets, format),
  ];
  return blocks.join("\n\n");
}

function sent({ uploaded, mounted = 0 }: WrittenTag): string {
  if (uploaded === undefined) return "-";
  const bytes = uploaded === 0 ? "nothing" : size(uploaded);
  return mounted === 0 ? bytes : `${bytes}, ${mounted} mounted`;
}

/** What was imported, for a person; or as JSON: a {@link LayoutImport}. */
export function renderImport(imported: LayoutImport, format: OutputFormat): string {
  if (format === "json") return jsonText(imported);
  const { digest, referrers, targets } = imported;
  return [
    renderLine(`image ${digest}, ${count(referrers, "referrer")}`, format),
    targetTable(targets, format),
    ...targetProblems(targets, format),
  ].join("\n\n");
}

function targetTable(targets: readonly WrittenTag[], format: OutputFormat): string {
  const rows = targets.map((target) => [target.reference, target.state, sent(target), target.before ?? "-"]);
  return renderTable(["to", "state", "sent", "before"], rows, format);
}

function targetProblems(targets: readonly WrittenTag[], format: OutputFormat): string[] {
  return targets.flatMap(({ reference, problem }) => {
    if (problem === undefined) return [];
    const remedy = problem.remedy?.split("\n").map((text) => `-> ${text}`) ?? [];
    return [`${reference}: ${problem.what} (${problem.code})`, ...remedy]
      .map((text) => renderLine(text, format))
      .join("\n");
  });
}
