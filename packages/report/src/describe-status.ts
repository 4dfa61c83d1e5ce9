import type { Pointer, Status, StatusRow } from "@tgo/release-rules";
import { renderLine, renderTable, type OutputFormat } from "./render-table.js";

/**
 * The screen that is looked at after an incident: what is where first, then what does not fit, and what may be behind it.
 * A prerelease is shown while no newer stable version is there.
 */
export function describeStatus({ rows, disagreements }: Status, format: OutputFormat): string {
  if (format === "json") return JSON.stringify({ status: { rows, disagreements } }, null, 2);
  const table = renderTable(
    ["service", "registry", "latest", "floating", "newest", "newer prerelease"],
    rows.map((row, index) => [
      rows[index - 1]?.service === row.service ? "" : row.service,
      row.registry,
      ...cells(row),
    ]),
    format,
  );
  const bullet = format === "markdown" ? "- " : "  ";
  const remedies = [...new Set(disagreements.flatMap(({ remedy }) => remedy ?? []))];
  const told =
    disagreements.length === 0
      ? [rows.some(isReleased) ? "Everything agrees." : "Nothing is released yet."]
      : [
          `${disagreements.length === 1 ? "One thing does" : `${disagreements.length} things do`} not agree:`,
          "",
          ...disagreements.map(({ told: line }) => `${bullet}${renderLine(line, format)}`),
          ...remedies.flatMap((remedy) => ["", renderLine(remedy, format)]),
        ];
  return [table, "", ...told].join("\n");
}

function isReleased({ latest, lines, newest, prerelease }: StatusRow): boolean {
  return [latest, newest, prerelease, ...lines].some((pointer) => pointer !== undefined);
}

function cells({ unreachable, latest, lines, newest, prerelease }: StatusRow): string[] {
  if (unreachable !== undefined) return [`not known: ${unreachable}`, "", "", ""];
  const floating = lines.map((line) => `${line.tag} is ${name(line)}`).join(", ");
  return [name(latest), floating === "" ? "-" : floating, name(newest), name(prerelease)];
}

/** `1.2.3 (0123456789ab)`; a digest alone where nothing says which version it is. */
function name(pointer: Pointer | undefined): string {
  if (pointer === undefined) return "-";
  const digest = pointer.digest.slice("sha256:".length, "sha256:".length + 12);
  return pointer.version === undefined ? `unknown (${digest})` : `${pointer.version} (${digest})`;
}
