import { shortDigest } from "@tgo/release-rules";
import { checkSummaries } from "./check-summary.js";
import { digestSummary } from "./digest-summary.js";
import { whose } from "./fold.js";
import { gridOf, type GridCell } from "./grid.js";
import { scope, failure, outcome, provenance, title, type RunOutcome } from "./headline.js";
import { code, fence, indent, table, text } from "./markdown-syntax.js";
import { machineSummaries } from "./machine-summary.js";
import { noteSummaries } from "./note-summary.js";
import { groupProblems, locationLines, type ProblemGroup } from "./problem-group.js";
import { recordLocation } from "./record-location.js";
import { EXPLAIN, remedyParts } from "./remedy-parts.js";
import type { Report } from "./report.js";
import { gateLines } from "./gate-lines.js";
import { tagSummaries } from "./tag-summary.js";
import { printable } from "./printable-text.js";
import { duration, size } from "./quantities.js";
import {
  fileSummary,
  foreignFiles,
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
  const ran = provenance(report);
  const blocks = [
    `## ${code(title(report))} ${SIGNS[outcome(report).tone]} ${outcome(report).words}`,
    headline(report),
    gate(report),
    problems(report),
    report.next === undefined ? undefined : `**Next**\n\n${fence(report.next, "sh")}`,
    report.nextInWords === undefined ? undefined : `**Next:** ${text(report.nextInWords)}`,
    grid(report),
    digests(report),
    tags(report),
    record(report),
    checks(report),
    registries(report),
    variants(report),
    machines(report),
    notes(report),
    ran === "" ? undefined : `_${text(ran)}_`,
  ];
  return `${blocks.filter((block) => block !== undefined).join("\n\n")}\n`;
}

const SIGNS = { good: "✅", waiting: "⚠️", bad: "❌" } satisfies Record<RunOutcome["tone"], string>;

function headline(report: Report): string {
  const failed = failure(report);
  return `${scope(report)}${failed === undefined ? "" : ` — ${text(failed)}`}`;
}

function grid(report: Report): string | undefined {
  const { registries, rows, hasTests } = gridOf(report);
  if (rows.length === 0) return undefined;
  const state = ({ words, tone }: GridCell): string =>
    tone === "good" || words === "-" ? words : `**${words}**`;
  const header = ["service", "state", "platforms", ...(hasTests ? ["tested"] : []), ...registries];
  const cells = rows.map((row) => [
    text(row.service),
    row.state === "failed" ? `**${row.state}**` : row.state,
    text(row.platforms.join(", ") || "-"),
    ...(hasTests ? [state(row.tested)] : []),
    ...row.registries.map((each) => (each === undefined ? "-" : state(each))),
  ]);
  return table(header.map(text), cells);
}

/** Each service's digest, whole and once, where it is from and where it was seen. */
function digests({ services }: Report): string | undefined {
  const lines = services.flatMap((service) => {
    const digest = digestSummary(service);
    const from = service.revision === undefined ? "" : ` · revision ${code(service.revision)}`;
    if (digest.kind === "none") return from === "" ? [] : [`- ${text(service.service)}${from}`];
    if (digest.kind === "one") {
      const remark = digest.remark === undefined ? "" : ` (${text(digest.remark)})`;
      return [`- ${text(service.service)} ${code(digest.digest)}${remark}${from}`];
    }
    return [
      `- ${text(service.service)}: **the digests differ**${from}`,
      ...digest.digests.map(
        (each) => `  - ${code(each.digest)} in ${text(each.registries.join(", ")) || "no registry"}`,
      ),
    ];
  });
  return lines.length === 0 ? undefined : `### Digests\n\n${lines.join("\n")}`;
}

function machines(report: Report): string | undefined {
  const lines = machineSummaries(report).flatMap(({ platform, lines, services }) => {
    const of = whose(
      services,
      report.services.map(({ service }) => service),
    );
    const name = of === "" || report.services.length === 1 ? platform : `${platform} of ${of}`;
    return lines.map((line) => `- ${text(`${name}: ${line}`)}`);
  });
  return lines.length === 0 ? undefined : `### Machines\n\n${lines.join("\n")}`;
}

function notes(report: Report): string | undefined {
  const lines = noteSummaries(report).map(({ text: note, services }) => {
    const of =
      report.services.length === 1
        ? ""
        : whose(
            services,
            report.services.map(({ service }) => service),
          );
    return `- ${text(of === "" ? note : `${of}: ${note}`)}`;
  });
  return lines.length === 0 ? undefined : `### Notes\n\n${lines.join("\n")}`;
}

function checks(report: Report): string | undefined {
  const summaries = checkSummaries(report);
  const all = [...new Set(summaries.flatMap(({ services }) => services))];
  const rows = summaries.map(({ name, state, services, evidence }) => {
    const of = whose(services, all);
    return [
      text(name),
      state === "failed" ? `**${state}**` : state,
      [...(of === "" || all.length === 1 ? [] : [`${of}:`]), ...evidence].map(text).join("<br>"),
    ];
  });
  return rows.length === 0 ? undefined : table(["check", "state", "evidence"], rows);
}

function registries(report: Report): string | undefined {
  const hasSent = report.services.some((each) =>
    each.registries.some(({ uploaded }) => uploaded !== undefined),
  );
  const hasRecord = report.services.some((each) =>
    each.registries.some(({ record }) => record !== undefined),
  );
  const rows = report.services.flatMap(({ service, registries }) =>
    registries.map((each) => {
      const missing = each.state === "failed" || each.state === "not started" ? ` **${each.state}**` : "";
      return [
        text(service),
        text(each.registry),
        `${code(each.reference)}${missing}`,
        ...(hasSent ? [each.uploaded === undefined ? "-" : size(each.uploaded)] : []),
        each.state === "not started" ? "-" : duration(each.durationMs),
        ...(hasRecord ? [each.record === "failed" ? "**failed**" : (each.record ?? "-")] : []),
      ];
    }),
  );
  if (rows.length === 0) return undefined;
  const header = [
    "service",
    "registry",
    "image",
    ...(hasSent ? ["sent"] : []),
    "time",
    ...(hasRecord ? ["record"] : []),
  ];
  return table(header, rows);
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
  const rows = tagSummaries(report, report.version).map(({ services, registries, lines, complete }) => {
    const summary = lines.map(text).join("<br>");
    return [text(services.join(", ")), text(registries.join(", ")), complete ? summary : `**${summary}**`];
  });
  return rows.length === 0 ? undefined : table(["service", "registry", "tags"], rows);
}

function variants(report: Report): string | undefined {
  const rows = servicesWithVariants(report).flatMap(({ service, variants }) =>
    variants.map((each) => {
      const wrong = [...foreignFiles(each), ...missingLibraries(each)];
      const summary = fileSummary(each).map((line) => (wrong.length === 0 ? line : `**${line}**`));
      const files = [...summary, ...wrong.map(code)].join("<br>");
      const lines = (each.smoke?.lines ?? []).map(code);
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
  blocks.push(`${code(`${EXPLAIN} ${kind}`)} says more.`);
  const inner = blocks.filter((block) => block !== "").map((block) => `\n${indent(block, "  ")}\n`);
  return `- **${kind}** ${text(first)}\n${inner.join("")}`;
}
