import { shortDigest, type Pointer, type Status, type StatusRow } from "@tgo/release-rules";
import { fold } from "./fold.js";
import { jsonText } from "./printable-text.js";
import { count } from "./quantities.js";
import { remedyParts } from "./remedy-parts.js";
import { hanging, wrap } from "./table.js";
import { renderLine, renderTable, type OutputFormat } from "./render-table.js";

/**
 * The status screen, read after an incident: what the registries have first, those that agree in one row, then what
 * disagrees, and likely causes. A prerelease is shown while no newer stable version exists.
 * @param width terminal columns; unlimited by default, because lists are often piped
 */
export function renderStatus({ rows, disagreements }: Status, format: OutputFormat, width?: number): string {
  if (format === "json") return jsonText({ status: { rows, disagreements } });
  const agreeing = collapsed(rows);
  const table = renderTable(
    ["service", "registry", "latest", "floating", "newest", "newer prerelease"],
    agreeing.map(({ service, registries, cells }, index) => [
      agreeing[index - 1]?.service === service ? "" : service,
      registries.join(", "),
      ...cells,
    ]),
    format,
    width,
  );
  const columns = format === "text" ? (width ?? Infinity) : Infinity;
  const bullet = format === "markdown" ? "- " : "  ";
  const remedies = [...new Set(disagreements.flatMap(({ remedy }) => remedy ?? []))];
  const services = [...new Set(rows.map(({ service }) => service))];
  const told = (of: Status["disagreements"]): string[] =>
    sharedFindings(
      of.map((each) => each.told),
      services,
    );
  const listed = (heading: string, lines: readonly string[]): string[] =>
    lines.length === 0
      ? []
      : ["", heading, "", ...lines.flatMap((line) => hanging(bullet, renderLine(line, format), columns))];
  const isUnknown = ({ kind }: Status["disagreements"][number]): boolean => kind === "not asked";
  const differing = told(disagreements.filter((each) => !isUnknown(each)));
  const all = rows.some(isReleased) ? "Everything agrees." : "Nothing is released yet.";
  return [
    table,
    ...(disagreements.length === 0 ? ["", all] : []),
    ...listed("Not everything is known:", told(disagreements.filter(isUnknown))),
    ...listed(`${count(differing.length, "disagreement")}:`, differing),
    ...remedies.flatMap((remedy) => ["", ...remedyLines(remedy, format, columns)]),
  ].join("\n");
}

/** "tgo-api: …", and the same of other services, in one line: "tgo-api, tgo-web: …" or "all 6 services: …". */
function sharedFindings(lines: readonly string[], services: readonly string[]): string[] {
  const parts = lines.map((line) => {
    const service = services.find((name) => line.startsWith(`${name}: `)) ?? "";
    return [service, service === "" ? line : line.slice(service.length + 2)] as const;
  });
  return fold(parts, (finding, service) => JSON.stringify([finding, service === ""])).map(
    ({ value, names }) => {
      if (names.includes("")) return value;
      const isAll = names.length === services.length && names.length > 1;
      return `${isAll ? `all ${names.length} services` : names.join(", ")}: ${value}`;
    },
  );
}

/** Prose is wrapped; a command stays on one line, so that it can be copied. */
function remedyLines(remedy: string, format: OutputFormat, columns: number): string[] {
  return remedyParts(remedy).flatMap(({ kind, text }) =>
    text.split("\n").flatMap((line) => wrap(renderLine(line, format), kind === "prose" ? columns : Infinity)),
  );
}

interface AgreeingRegistries {
  readonly service: string;
  readonly registries: readonly string[];
  readonly cells: readonly string[];
}

/** Registries of a service that have the same, in one row. */
function collapsed(rows: readonly StatusRow[]): AgreeingRegistries[] {
  const services = [...new Set(rows.map(({ service }) => service))];
  return services.flatMap((service) => {
    const own = rows.filter((row) => row.service === service);
    const groups = fold(
      own.map((row) => [row.registry, row] as const),
      ({ unreachable, latest, lines, newest, prerelease }) =>
        unreachable === undefined ? JSON.stringify([latest, lines, newest, prerelease]) : "",
    );
    return groups.map(({ value, names }) => ({ service, registries: names, cells: cells(value) }));
  });
}

function isReleased({ latest, lines, newest, prerelease }: StatusRow): boolean {
  return [latest, newest, prerelease, ...lines].some((pointer) => pointer !== undefined);
}

function cells({ unreachable, latest, lines, newest, prerelease }: StatusRow): string[] {
  if (unreachable !== undefined) return ["unknown", "", "", ""];
  // The digest of a version is in the other columns, or in a disagreement.
  const floating = lines.map((line) => `${line.tag} is ${line.version ?? name(line)}`).join(", ");
  return [name(latest), floating === "" ? "-" : floating, name(newest), name(prerelease)];
}

/** `1.2.3 (0123456789ab)`; `unknown (0123456789ab)` for an image of unknown version. */
function name(pointer: Pointer | undefined): string {
  if (pointer === undefined) return "-";
  return `${pointer.version ?? "unknown"} (${shortDigest(pointer.digest)})`;
}
