import { shortDigest } from "@tgo/release-rules";
import { colors as colorsOf, type Colors } from "./colors.js";
import { digestSummary } from "./digest-summary.js";
import { scope, failure, outcome, provenance, title, type RunOutcome } from "./headline.js";
import { groupProblems, locationLines } from "./problem-group.js";
import { recordLocation } from "./record-location.js";
import { REGISTRY_COLUMNS, shownColumns } from "./registry-columns.js";
import { remedyParts } from "./remedy-parts.js";
import type { RegistryReport, Report, ServiceReport } from "./report.js";
import { gateLines } from "./gate-lines.js";
import { tagRows } from "./tag-summary.js";
import { cell, table, wrap, type Cell } from "./table.js";
import { printable } from "./printable-text.js";
import { duration, size } from "./quantities.js";
import {
  fileSummary,
  foreignFiles,
  machineLines,
  missingLibraries,
  servicesWithVariants,
  smokeSummary,
  variantSize,
} from "./variant-summary.js";

export interface TextOptions {
  /** ANSI colours; no information is in colour alone. Default: false. */
  readonly color?: boolean;
  /** Terminal columns; text to be copied whole (digests, references, commands) is never broken. Default: 100. */
  readonly width?: number;
}

interface Page {
  readonly colors: Colors;
  readonly width: number;
}

/** The report for a terminal. */
export function renderText(raw: Report, { color = false, width = 100 }: TextOptions = {}): string {
  const report = printable(raw);
  const page: Page = { colors: colorsOf(color), width };
  const blocks = [
    headline(report, page),
    ...report.services.map((service) => serviceBlock(service, page)),
    gate(report, page),
    record(report, page),
    checkTable(report, page),
    registryTable(report, page),
    tagTable(report, page),
    variantTable(report, page),
    problems(report, page),
    report.next === undefined ? [] : [`next: ${page.colors.bold(report.next)}`],
    report.nextInWords === undefined ? [] : [`next: ${report.nextInWords}`],
  ];
  return blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join("\n"))
    .join("\n\n");
}

type Paints = Record<RunOutcome["tone"], (text: string) => string>;

function headline(report: Report, { colors, width }: Page): string[] {
  const { words, tone } = outcome(report);
  const paint = { good: colors.green, waiting: colors.yellow, bad: colors.red } satisfies Paints;
  const failed = failure(report);
  return [
    `${colors.bold(title(report))} ${paint[tone](tone === "bad" ? words.toUpperCase() : words)} · ${scope(report)}`,
    ...(failed === undefined ? [] : wrap(failed, width)),
    colors.dim(provenance(report)),
  ];
}

function gate(report: Report, { width }: Page): string[] {
  const [first, ...others] = gateLines(report);
  const hanging = others.flatMap((line) =>
    wrap(line, width - 4).map((part, index) => `${index === 0 ? "  " : "    "}${part}`),
  );
  return first === undefined ? [] : [first, ...hanging];
}

function record(report: Report, { colors, width }: Page): string[] {
  const location = recordLocation(report);
  if (location === undefined) return [];
  return wrap(location, width - 8).map(
    (line, index) => `${index === 0 ? colors.dim("record") : "      "}  ${line}`,
  );
}

function serviceBlock(service: ServiceReport, page: Page): string[] {
  const { colors } = page;
  const isBad = ["failed", "not released", "not moved"].includes(service.state);
  const paint = isBad ? colors.red : colors.green;
  const lines = [
    `${colors.bold(service.service)}  ${paint(service.state)}${colors.dim(` (${duration(service.durationMs)})`)}`,
  ];
  const field = (name: string, text: string): void => {
    lines.push(`  ${colors.dim(name.padEnd(8))}  ${text}`);
  };
  const digest = digestSummary(service);
  if (digest.kind === "one") {
    field("digest", digest.digest);
    if (digest.remark !== undefined) field("", `(${digest.remark})`);
  } else if (digest.kind === "differ") {
    field("digest", colors.red("DIFFERS:"));
    for (const each of digest.digests) {
      field("", `${each.digest} in ${each.registries.join(", ") || "no registry"}`);
    }
  }
  if (service.tag !== undefined) field("tag", service.tag);
  if (service.revision !== undefined) field("revision", service.revision);
  service.registries.forEach(({ reference, state }, index) => {
    const missing = state === "failed" || state === "not started" ? ` (${state})` : "";
    field(index === 0 ? "images" : "", `${reference}${missing}`);
  });
  for (const note of service.notes) {
    wrap(note, page.width - 12).forEach((line, index) => {
      field(index === 0 ? "note" : "", line);
    });
  }
  return lines;
}

function checkTable(report: Report, { colors, width }: Page): string[] {
  const paints = { ok: colors.green, note: colors.yellow, failed: colors.red, skipped: colors.dim };
  const rows = report.services.flatMap(({ service, checks = [] }) =>
    checks.map(({ name, state, evidence }, index): Cell[] => [
      cell(index === 0 ? service : "", { paint: colors.bold }),
      cell(name),
      cell(state, { paint: paints[state] }),
      cell(evidence),
    ]),
  );
  if (rows.length === 0) return [];
  return table(["service", "check", "state", "evidence"], rows, {
    width,
    indent: "",
    paintHeader: colors.dim,
  });
}

function registryTable(report: Report, { colors, width }: Page): string[] {
  const rows = report.services.flatMap(({ service, registries }) =>
    registries.map((registry, index): Cell[] => [
      cell(index === 0 ? service : "", { paint: colors.bold }),
      cell(registry.registry),
      cell(registry.state, { paint: statePaint(registry, colors) }),
      cell(registry.digest === undefined ? "-" : shortDigest(registry.digest)),
      cell(sent(registry), { align: "right" }),
      cell(registry.state === "not started" ? "-" : duration(registry.durationMs)),
      cell(registry.record ?? "-", registry.record === "failed" ? { paint: colors.red } : {}),
    ]),
  );
  if (rows.length === 0) return [];
  const shown = shownColumns(report);
  const select = <T>(cells: readonly T[]): T[] => cells.filter((_, column) => shown[column]);
  return table(select(REGISTRY_COLUMNS), rows.map(select), { width, indent: "", paintHeader: colors.dim });
}

function statePaint({ state }: RegistryReport, colors: Colors): (text: string) => string {
  if (state === "failed") return colors.red;
  return state === "not started" ? colors.yellow : colors.green;
}

function sent({ uploaded, state }: RegistryReport): string {
  if (uploaded === undefined) return "-";
  return uploaded === 0 && state !== "failed" ? "nothing" : size(uploaded);
}

function tagTable(report: Report, { colors, width }: Page): string[] {
  const rows = tagRows(report).map(({ service, registry, lines, complete }, index, all): Cell[] => [
    cell(all[index - 1]?.service === service ? "" : service, { paint: colors.bold }),
    cell(registry),
    cell(lines, { paint: complete ? colors.green : colors.red }),
  ]);
  if (rows.length === 0) return [];
  return table(["service", "registry", "tags"], rows, { width, indent: "", paintHeader: colors.dim });
}

function variantTable(report: Report, { colors, width }: Page): string[] {
  const rows = servicesWithVariants(report).flatMap(({ service, variants }) =>
    variants.map((variant, index): Cell[] => {
      const { smoke } = variant;
      const wrong = [...foreignFiles(variant), ...missingLibraries(variant)];
      const failedSmoke = smoke?.ok === false;
      return [
        cell(index === 0 ? service : "", { paint: colors.bold }),
        cell(variant.platform),
        cell(variantSize(variant), { align: "right" }),
        cell(fileSummary(variant), wrong.length > 0 ? { paint: colors.red } : {}),
        cell(smoke?.machine ?? "-"),
        cell(
          [smokeSummary(smoke), ...(smoke?.lines ?? []), ...machineLines(variant)],
          failedSmoke ? { paint: colors.red } : {},
        ),
      ];
    }),
  );
  if (rows.length === 0) return [];
  const header = ["service", "platform", "size", "files", "machine", "smoke run"];
  const wrong = report.services.flatMap(({ service, variants }) =>
    variants.flatMap((variant) => {
      const where = `${service} ${variant.platform}:`;
      const list = (title: string, lines: readonly string[]): string[] =>
        lines.length === 0 ? [] : [`${title} ${where}`, ...lines.map((line) => `  ${line}`)];
      return [
        ...list("foreign files in", foreignFiles(variant)),
        ...list("cannot be loaded in", missingLibraries(variant)),
      ];
    }),
  );
  return [
    ...table(header, rows, { width, indent: "", paintHeader: colors.dim }),
    ...(wrong.length > 0 ? ["", ...wrong] : []),
  ];
}

function problems(report: Report, { colors, width }: Page): string[] {
  const groups = groupProblems(report);
  if (groups.length === 0) return [];
  const lines = [colors.bold(groups.length === 1 ? "problem" : "problems")];
  groups.forEach(({ code, what, remedy, locations }, index) => {
    const number = groups.length === 1 ? "" : `${index + 1}. `;
    const pad = " ".repeat(2 + number.length);
    const text = what.split("\n").flatMap((line) => wrap(line, width - pad.length));
    lines.push(`  ${number}${colors.red(text[0] ?? "")}`);
    lines.push(...text.slice(1).map((line) => `${pad}${line}`));
    for (const line of locationLines(locations)) lines.push(`${pad}${colors.dim("at")}  ${line}`);
    lines.push(`${pad}${colors.dim(`code ${code}`)}`);
    if (remedy !== undefined) {
      remedyLines(remedy, width - pad.length - 3).forEach((line, at) => {
        lines.push(`${pad}${at === 0 ? "-> " : "   "}${line}`);
      });
    }
  });
  return lines;
}

/** Prose is wrapped; a command stays on one line, so that it can be copied. */
function remedyLines(remedy: string, width: number): string[] {
  return remedyParts(remedy).flatMap(({ kind, text }) => {
    const lines = text.split("\n");
    return kind === "prose" ? lines.flatMap((line) => wrap(line, width)) : lines;
  });
}
