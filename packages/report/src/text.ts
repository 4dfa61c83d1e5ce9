import pc from "picocolors";
import { digestFact } from "./digest-fact.js";
import { extent, failure, outcome, provenance, title, type RunOutcome } from "./headline.js";
import { groupProblems, placeLines } from "./problem-group.js";
import { recordFact } from "./record-fact.js";
import { REGISTRY_COLUMNS, toldColumns } from "./registry-columns.js";
import { remedyParts } from "./remedy.js";
import type { RegistryReport, Report, ServiceReport } from "./report.js";
import { gateLines, tagRows } from "./tag-facts.js";
import { cell, table, wrap, type Cell } from "./table.js";
import { printable } from "./texts.js";
import { duration, shortDigest, size } from "./units.js";
import { fileFacts, foreignLines, servicesWithVariants, smokeFact, variantSize } from "./variant-facts.js";

export interface TextOptions {
  /** ANSI colours; the words say the same without them. Default: false. */
  readonly color?: boolean;
  /** Columns to fit into; what must be copied whole (digests, references, commands) is never cut. Default: 100. */
  readonly width?: number;
}

type Colors = ReturnType<typeof pc.createColors>;
interface Page {
  readonly colors: Colors;
  readonly width: number;
}

/** The report for a terminal. */
export function renderText(raw: Report, { color = false, width = 100 }: TextOptions = {}): string {
  const report = printable(raw);
  const page: Page = { colors: pc.createColors(color), width };
  const blocks = [
    headline(report, page),
    ...report.services.map((service) => serviceBlock(service, page)),
    gate(report, page),
    record(report, page),
    registryTable(report, page),
    tagTable(report, page),
    variantTable(report, page),
    problems(report, page),
    report.next === undefined ? [] : [`next: ${page.colors.bold(report.next)}`],
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
    `${colors.bold(title(report))} ${paint[tone](tone === "bad" ? words.toUpperCase() : words)} · ${extent(report)}`,
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
  const fact = recordFact(report);
  if (fact === undefined) return [];
  return wrap(fact, width - 8).map(
    (line, index) => `${index === 0 ? colors.dim("record") : "      "}  ${line}`,
  );
}

function serviceBlock(service: ServiceReport, page: Page): string[] {
  const { colors } = page;
  const isBad = service.state === "failed" || service.state === "not released";
  const paint = isBad ? colors.red : colors.green;
  const lines = [
    `${colors.bold(service.service)}  ${paint(service.state)}${colors.dim(` (${duration(service.durationMs)})`)}`,
  ];
  const fact = (name: string, text: string): void => {
    lines.push(`  ${colors.dim(name.padEnd(8))}  ${text}`);
  };
  const digest = digestFact(service);
  if (digest.kind === "one") {
    fact("digest", digest.digest);
    if (digest.remark !== undefined) fact("", `(${digest.remark})`);
  } else if (digest.kind === "differ") {
    fact("digest", colors.red("DIFFERS:"));
    for (const each of digest.digests) {
      fact("", `${each.digest} in ${each.registries.join(", ") || "no registry"}`);
    }
  }
  if (service.tag !== undefined) fact("tag", service.tag);
  if (service.revision !== undefined) fact("revision", service.revision);
  service.registries.forEach(({ reference, state }, index) => {
    const missing = state === "failed" || state === "not started" ? ` (${state})` : "";
    fact(index === 0 ? "images" : "", `${reference}${missing}`);
  });
  for (const note of service.notes) {
    wrap(note, page.width - 12).forEach((line, index) => {
      fact(index === 0 ? "note" : "", line);
    });
  }
  return lines;
}

function registryTable(report: Report, { colors, width }: Page): string[] {
  const rows = report.services.flatMap(({ service, registries }) =>
    registries.map((registry, index): Cell[] => [
      cell(index === 0 ? service : "", colors.bold),
      cell(registry.registry),
      cell(registry.state, statePaint(registry, colors)),
      cell(registry.digest === undefined ? "-" : shortDigest(registry.digest)),
      cell(sent(registry), undefined, "right"),
      cell(registry.state === "not started" ? "-" : duration(registry.durationMs)),
      cell(registry.record ?? "-", registry.record === "failed" ? colors.red : undefined),
    ]),
  );
  if (rows.length === 0) return [];
  const told = toldColumns(report);
  const shown = <T>(cells: readonly T[]): T[] => cells.filter((_, column) => told[column]);
  return table(shown(REGISTRY_COLUMNS), rows.map(shown), { width, indent: "", paintHeader: colors.dim });
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
    cell(all[index - 1]?.service === service ? "" : service, colors.bold),
    cell(registry),
    cell(lines, complete ? colors.green : colors.red),
  ]);
  if (rows.length === 0) return [];
  return table(["service", "registry", "tags"], rows, { width, indent: "", paintHeader: colors.dim });
}

function variantTable(report: Report, { colors, width }: Page): string[] {
  const rows = servicesWithVariants(report).flatMap(({ service, variants }) =>
    variants.map((variant, index): Cell[] => {
      const { smoke } = variant;
      const foreign = foreignLines(variant);
      const badSmoke = smoke?.ok === false;
      return [
        cell(index === 0 ? service : "", colors.bold),
        cell(variant.platform),
        cell(variantSize(variant), undefined, "right"),
        cell(fileFacts(variant), foreign.length > 0 ? colors.red : undefined),
        cell(smoke?.machine ?? "-"),
        cell([smokeFact(smoke), ...(smoke?.lines ?? [])], badSmoke ? colors.red : undefined),
      ];
    }),
  );
  if (rows.length === 0) return [];
  const header = ["service", "platform", "size", "files", "machine", "smoke run"];
  const foreign = report.services.flatMap(({ service, variants }) =>
    variants.flatMap((variant) => {
      const paths = foreignLines(variant);
      if (paths.length === 0) return [];
      return [`foreign files in ${service} ${variant.platform}:`, ...paths.map((path) => `  ${path}`)];
    }),
  );
  return [
    ...table(header, rows, { width, indent: "", paintHeader: colors.dim }),
    ...(foreign.length > 0 ? ["", ...foreign] : []),
  ];
}

function problems(report: Report, { colors, width }: Page): string[] {
  const groups = groupProblems(report);
  if (groups.length === 0) return [];
  const lines = [colors.bold(groups.length === 1 ? "problem" : "problems")];
  groups.forEach(({ code, what, remedy, places }, index) => {
    const number = groups.length === 1 ? "" : `${index + 1}. `;
    const pad = " ".repeat(2 + number.length);
    const text = what.split("\n").flatMap((line) => wrap(line, width - pad.length));
    lines.push(`  ${number}${colors.red(text[0] ?? "")}`);
    lines.push(...text.slice(1).map((line) => `${pad}${line}`));
    for (const line of placeLines(places)) lines.push(`${pad}${colors.dim("at")}  ${line}`);
    lines.push(`${pad}${colors.dim(`code ${code}`)}`);
    if (remedy !== undefined) {
      remedyLines(remedy, width - pad.length - 3).forEach((line, at) => {
        lines.push(`${pad}${at === 0 ? "-> " : "   "}${line}`);
      });
    }
  });
  return lines;
}

/** Sentences are wrapped; a command stays in one line, so that it can be copied. */
function remedyLines(remedy: string, width: number): string[] {
  return remedyParts(remedy).flatMap(({ kind, text }) => {
    const lines = text.split("\n");
    return kind === "prose" ? lines.flatMap((line) => wrap(line, width)) : lines;
  });
}
