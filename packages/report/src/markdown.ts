import { shortDigest } from "@tgo/release-rules";
import { digestSummary } from "./digest-summary.js";
import { scope, failure, outcome, provenance, title, type RunOutcome } from "./headline.js";
import { code, fence, indent, table, text } from "./markdown-syntax.js";
import { groupProblems, locationLines, type ProblemGroup } from "./problem-group.js";
import { recordLocation } from "./record-location.js";
import { REGISTRY_COLUMNS, shownColumns } from "./registry-columns.js";
import { remedyParts } from "./remedy-parts.js";
import type { Report, ServiceReport } from "./report.js";
import { gateLines } from "./gate-lines.js";
import { tagRows } from "./tag-summary.js";
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

/**
 * The report for a job summary or a comment (GitHub Flavored Markdown): failures and remedies first, then tables.
 * @see https://github.github.com/gfm/
 */
export function renderMarkdown(raw: Report): string {
  const report = printable(raw);
  const blocks = [
    `## ${code(title(report))} ${SIGNS[outcome(report).tone]} ${outcome(report).words}`,
    headline(report),
    gate(report),
    report.next === undefined ? undefined : `**Next**\n\n${fence(report.next, "sh")}`,
    report.nextInWords === undefined ? undefined : `**Next:** ${text(report.nextInWords)}`,
    problems(report),
    record(report),
    checks(report),
    registries(report),
    tags(report),
    variants(report),
    ...report.services.map(service),
  ];
  return `${blocks.filter((block) => block !== undefined).join("\n\n")}\n`;
}

const SIGNS = { good: "✅", waiting: "⚠️", bad: "❌" } satisfies Record<RunOutcome["tone"], string>;

function headline(report: Report): string {
  const failed = failure(report);
  const ran = provenance(report);
  const first = `${scope(report)}${failed === undefined ? "" : ` — ${text(failed)}`}`;
  return ran === "" ? first : `${first}  \n_${text(ran)}_`;
}

function service(report: ServiceReport): string | undefined {
  const lines = [
    `- ${report.state} in ${duration(report.durationMs)}${report.tag === undefined ? "" : ` · tag ${code(report.tag)}`}`,
  ];
  const digest = digestSummary(report);
  if (digest.kind === "one") {
    lines.push(
      `- digest ${code(digest.digest)}${digest.remark === undefined ? "" : ` (${text(digest.remark)})`}`,
    );
  } else if (digest.kind === "differ") {
    lines.push("- **the digests differ:**");
    for (const each of digest.digests) {
      lines.push(`  - ${code(each.digest)} in ${text(each.registries.join(", ")) || "no registry"}`);
    }
  }
  if (report.revision !== undefined) lines.push(`- revision ${code(report.revision)}`);
  for (const { reference, state } of report.registries) {
    const missing = state === "failed" || state === "not started" ? ` (${state})` : "";
    lines.push(`- ${code(reference)}${missing}`);
  }
  for (const note of report.notes) lines.push(`- note: ${text(note)}`);
  return `### ${text(report.service)}\n\n${lines.join("\n")}`;
}

function checks(report: Report): string | undefined {
  const rows = report.services.flatMap(({ service, checks = [] }) =>
    checks.map(({ name, state, evidence }) => [
      text(service),
      text(name),
      state === "failed" ? `**${state}**` : state,
      evidence.map(text).join("<br>"),
    ]),
  );
  return rows.length === 0 ? undefined : table(["service", "check", "state", "evidence"], rows);
}

function registries(report: Report): string | undefined {
  const strong = (state: string): string =>
    state === "failed" || state === "not started" ? `**${state}**` : state;
  const rows = report.services.flatMap(({ service, registries }) =>
    registries.map((each) => [
      text(service),
      text(each.registry),
      strong(each.state),
      each.digest === undefined ? "-" : code(shortDigest(each.digest)),
      each.uploaded === undefined ? "-" : size(each.uploaded),
      each.state === "not started" ? "-" : duration(each.durationMs),
      strong(each.record ?? "-"),
    ]),
  );
  if (rows.length === 0) return undefined;
  const shown = shownColumns(report);
  const select = (cells: readonly string[]): string[] => cells.filter((_, column) => shown[column]);
  return table(select(REGISTRY_COLUMNS), rows.map(select));
}

function gate(report: Report): string | undefined {
  const [first, ...others] = gateLines(report);
  if (first === undefined) return undefined;
  return [`**${text(first)}**`, "", ...others.map((line) => `- ${text(line)}`)].join("\n").trimEnd();
}

function record(report: Report): string | undefined {
  const location = recordLocation(report);
  return location === undefined ? undefined : `**record** ${text(location)}`;
}

function tags(report: Report): string | undefined {
  const rows = tagRows(report, report.version).map(({ service, registry, lines, complete }) => {
    const summary = lines.map(text).join("<br>");
    return [text(service), text(registry), complete ? summary : `**${summary}**`];
  });
  return rows.length === 0 ? undefined : table(["service", "registry", "tags"], rows);
}

function variants(report: Report): string | undefined {
  const rows = servicesWithVariants(report).flatMap(({ service, variants }) =>
    variants.map((each) => {
      const wrong = [...foreignFiles(each), ...missingLibraries(each)];
      const summary = fileSummary(each).map((line) => (wrong.length === 0 ? line : `**${line}**`));
      const files = [...summary, ...wrong.map(code)].join("<br>");
      const lines = [...(each.smoke?.lines ?? []).map(code), ...machineLines(each).map(text)];
      const smoke = [smokeSummary(each.smoke), ...lines].join("<br>");
      const machine = text(each.smoke?.machine ?? "-");
      const digest = each.digest === undefined ? "-" : code(shortDigest(each.digest));
      return [text(service), each.platform, variantSize(each), digest, files, machine, smoke];
    }),
  );
  return rows.length === 0
    ? undefined
    : table(["service", "platform", "size", "digest", "files", "machine", "smoke run"], rows);
}

function problems(report: Report): string | undefined {
  const groups = groupProblems(report);
  return groups.length === 0 ? undefined : `### Problems\n\n${groups.map(problem).join("\n").trimEnd()}`;
}

/** A list item with its blocks indented below it. */
function problem({ code: kind, what, remedy, locations }: ProblemGroup): string {
  const [first = "", ...output] = what.split("\n");
  const blocks = [
    ...(output.length === 0 ? [] : [fence(output.join("\n"), "text")]),
    ...(locations.length === 0
      ? []
      : [
          locationLines(locations)
            .map((line) => `- at ${text(line)}`)
            .join("\n"),
        ]),
    ...(remedy === undefined ? [] : remedyParts(remedy)).map((part) =>
      part.kind === "prose" ? text(part.text) : fence(part.text, "sh"),
    ),
  ];
  const inner = blocks.filter((block) => block !== "").map((block) => `\n${indent(block, "  ")}\n`);
  return `- **${kind}** ${text(first)}\n${inner.join("")}`;
}
