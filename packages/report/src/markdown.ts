import { digestFact } from "./digest-fact.js";
import { extent, failure, provenance } from "./headline.js";
import { groupProblems, placeLines } from "./problem-group.js";
import type { Report, ServiceReport } from "./report.js";
import { gateLines, tagRows } from "./tag-facts.js";
import { duration, shortDigest, size } from "./units.js";
import { fileFacts, foreignLines, servicesWithVariants, smokeFact, variantSize } from "./variant-facts.js";

/**
 * The report for a job summary or a comment (GitHub flavoured).
 * @see https://github.github.com/gfm/#tables-extension-
 */
export function renderMarkdown(report: Report): string {
  const blocks = [
    `## \`${report.command}\` ${report.ok ? "✅ ok" : "❌ failed"}`,
    `${extent(report)}${report.ok ? "" : ` — ${text(failure(report) ?? "")}`}  \n_${text(provenance(report))}_`,
    gate(report),
    registries(report),
    tags(report),
    variants(report),
    ...report.services.map(service),
    problems(report),
    report.next === undefined ? undefined : `**Next**\n\n${fence(report.next)}`,
  ];
  return `${blocks.filter((block) => block !== undefined).join("\n\n")}\n`;
}

function service(report: ServiceReport): string | undefined {
  const lines = [`- ${report.state}${report.tag === undefined ? "" : ` · tag \`${report.tag}\``}`];
  const digest = digestFact(report);
  if (digest.kind === "one") {
    lines.push(`- digest \`${digest.digest}\`${digest.remark === undefined ? "" : ` (${digest.remark})`}`);
  } else if (digest.kind === "differ") {
    lines.push("- **the digests differ:**");
    for (const each of digest.digests) {
      lines.push(`  - \`${each.digest}\` in ${each.registries.join(", ") || "no registry"}`);
    }
  }
  if (report.revision !== undefined) lines.push(`- revision \`${report.revision}\``);
  for (const { reference, state } of report.registries) {
    const missing = state === "failed" || state === "not started" ? ` (${state})` : "";
    lines.push(`- \`${reference}\`${missing}`);
  }
  for (const note of report.notes) lines.push(`- note: ${text(note)}`);
  return `### ${report.service}\n\n${lines.join("\n")}`;
}

function registries(report: Report): string | undefined {
  const rows = report.services.flatMap(({ service, registries }) =>
    registries.map((each) => [
      service,
      each.registry,
      each.state === "failed" || each.state === "not started" ? `**${each.state}**` : each.state,
      each.digest === undefined ? "-" : `\`${shortDigest(each.digest)}\``,
      each.uploaded === undefined ? "-" : size(each.uploaded),
      each.state === "not started" ? "-" : duration(each.durationMs),
    ]),
  );
  return rows.length === 0
    ? undefined
    : table(["service", "registry", "state", "digest", "sent", "time"], rows);
}

function gate(report: Report): string | undefined {
  const [first, ...others] = gateLines(report);
  if (first === undefined) return undefined;
  return [`**${text(first)}**`, "", ...others.map((line) => `- ${text(line.trim())}`)].join("\n").trimEnd();
}

function tags(report: Report): string | undefined {
  const rows = tagRows(report).map(({ service, registry, lines, complete }) => {
    const told = lines.map(text).join("<br>");
    return [service, registry, complete ? told : `**${told}**`];
  });
  return rows.length === 0 ? undefined : table(["service", "registry", "tags"], rows);
}

function variants(report: Report): string | undefined {
  const rows = servicesWithVariants(report).flatMap(({ service, variants }) =>
    variants.map((each) => {
      const foreign = foreignLines(each);
      const facts = fileFacts(each).map((fact) => (foreign.length === 0 ? fact : `**${fact}**`));
      const files = [...facts, ...foreign.map(code)].join("<br>");
      const smoke = [smokeFact(each.smoke), ...(each.smoke?.lines ?? []).map(code)].join("<br>");
      return [service, each.platform, variantSize(each), files, each.smoke?.machine ?? "-", smoke];
    }),
  );
  return rows.length === 0
    ? undefined
    : table(["service", "platform", "size", "files", "machine", "smoke run"], rows);
}

function problems(report: Report): string | undefined {
  const groups = groupProblems(report);
  if (groups.length === 0) return undefined;
  const items = groups.map(({ code, what, remedy, places }) =>
    [
      `- **${code}** ${text(what).replaceAll("\n", "<br>")}`,
      ...placeLines(places).map((line) => `  - at ${text(line)}`),
      ...(remedy === undefined ? [] : [`  - do:\n\n${indent(fence(remedy), "    ")}\n`]),
    ].join("\n"),
  );
  return `### Problems\n\n${items.join("\n")}`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((each) => each.replaceAll("|", "\\|").replaceAll("\n", "<br>")).join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

/** A registry's message may hold HTML; in a summary it must be read, not rendered. */
function text(raw: string): string {
  return raw.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function code(raw: string): string {
  return `<code>${text(raw)}</code>`;
}

function fence(raw: string): string {
  const longest = Math.max(2, ...[...raw.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const ticks = "`".repeat(longest + 1);
  return `${ticks}sh\n${raw}\n${ticks}`;
}

function indent(raw: string, by: string): string {
  return raw
    .split("\n")
    .map((line) => by + line)
    .join("\n");
}
