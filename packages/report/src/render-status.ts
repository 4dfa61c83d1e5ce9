import { shortDigest, type Pointer, type Status, type StatusRow } from "@tgo/release-rules";
import { jsonText } from "./printable-text.js";
import { count } from "./quantities.js";
import { renderLine, renderTable, type OutputFormat } from "./render-table.js";

/**
 * The status screen, read after an incident: what each registry has first, then what disagrees, and likely causes.
 * A prerelease is shown while no newer stable version exists.
 */
export function renderStatus({ rows, disagreements }: Status, format: OutputFormat): string {
  if (format === "json") return jsonText({ status: { rows, disagreements } });
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
  const findings =
    disagreements.length === 0
      ? [rows.some(isReleased) ? "Everything agrees." : "Nothing is released yet."]
      : [
          `${count(disagreements.length, "disagreement")}:`,
          "",
          ...disagreements.map(({ told }) => `${bullet}${renderLine(told, format)}`),
          ...remedies.flatMap((remedy) => [
            "",
            ...remedy.split("\n").map((line) => renderLine(line, format)),
          ]),
        ];
  return [table, "", ...findings].join("\n");
}

function isReleased({ latest, lines, newest, prerelease }: StatusRow): boolean {
  return [latest, newest, prerelease, ...lines].some((pointer) => pointer !== undefined);
}

function cells({ unreachable, latest, lines, newest, prerelease }: StatusRow): string[] {
  if (unreachable !== undefined) return [`unknown: ${unreachable}`, "", "", ""];
  const floating = lines.map((line) => `${line.tag} is ${name(line)}`).join(", ");
  return [name(latest), floating === "" ? "-" : floating, name(newest), name(prerelease)];
}

/** `1.2.3 (0123456789ab)`; `unknown (0123456789ab)` for an image of unknown version. */
function name(pointer: Pointer | undefined): string {
  if (pointer === undefined) return "-";
  return `${pointer.version ?? "unknown"} (${shortDigest(pointer.digest)})`;
}
