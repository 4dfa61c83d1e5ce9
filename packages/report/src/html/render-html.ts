import { createHash } from "node:crypto";
import { gateVerdict } from "../gate-lines.js";
import { scope, failure, outcome, provenance, title } from "../headline.js";
import { groupProblems, locationLines, type ProblemGroup } from "../problem-group.js";
import { recordLocation } from "../record-location.js";
import { remedyParts, type RemedyPart } from "../remedy-parts.js";
import type { GateReport, Report, ServiceReport } from "../report.js";
import { tagCount } from "../tag-summary.js";
import { printable } from "../printable-text.js";
import { duration } from "../quantities.js";
import { withLineBreaks, html, Markup, preformatted, noWrap, type Part } from "./markup.js";
import { anchorOf, serviceSection } from "./service.js";
import { mark, stateMark } from "./state.js";
import { STYLE } from "./style.js";
import { matrixTable } from "./table.js";

/** One string: the policy contains the hash of exactly these bytes. */
const STYLE_ELEMENT = new Markup(`<style>${STYLE}</style>`);

/**
 * Nothing is fetched, run or sent; only the page's own style is allowed.
 * @see https://www.w3.org/TR/CSP3/#grammardef-hash-source
 */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** The report as one page for a browser, on phone or desktop: no script, nothing from the network. */
export function renderHtml(raw: Report): string {
  const report = printable(raw);
  const { words, tone } = outcome(report);
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>${title(report)} ${words}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <header>
          <h1>${title(report)} ${mark(tone, words)}</h1>
          <p>${scope(report)}</p>
          <p class="quiet">${began(report.began)}${provenance(report)}</p>
        </header>
        <main>
          ${verdict(report)}${gate(report.gate)}${record(report)}${next(report)}${problems(groupProblems(report))}${overview(report)}${report.services.map(
            (service, index) => serviceSection(service, index, report),
          )}
        </main>
      </body>
    </html> `;
  return `${page.html.trimEnd()}\n`;
}

/** To the minute; the `datetime` attribute has the rest. */
function began(time: string | undefined): Markup | undefined {
  if (time === undefined) return undefined;
  const [, day, minute] = /^([\d-]{10})T(\d\d:\d\d)/.exec(time) ?? [];
  const words = day === undefined || minute === undefined ? time : `${day} ${minute} UTC`;
  return html`<time datetime="${time}">${words}</time> · `;
}

function verdict(report: Report): Markup | undefined {
  const failed = failure(report);
  return failed === undefined ? undefined : html`<p class="verdict ${outcome(report).tone}">${failed}</p> `;
}

function gate(report: GateReport | undefined): Markup | undefined {
  if (report === undefined) return undefined;
  const { open, reasons, later } = report;
  const tone = open ? "good" : "bad";
  const list = (items: readonly string[]): Markup =>
    html`<ul>
      ${items.map((item) => html`<li>${withLineBreaks(item)}</li>`)}
    </ul>`;
  return html`<div class="box ${tone}">
    <p class="verdict">${capitalised(gateVerdict(report))}</p>
    ${reasons.length === 0 ? undefined : list(reasons)}${
      later.length === 0
        ? undefined
        : html`<p>Left for later:</p>
            ${list(later)}`
    }
  </div> `;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function record(report: Report): Markup | undefined {
  const location = recordLocation(report);
  return location === undefined ? undefined : html`<p>Record ${location}.</p> `;
}

function next({ next: command, nextInWords: words }: Report): Markup | undefined {
  if (words !== undefined) return html`<p>Next: ${words}.</p> `;
  if (command === undefined) return undefined;
  return html`<h2>Next</h2>
    <p>This command completes the run:</p>
    ${preformatted(command, "command")} `;
}

function problems(groups: readonly ProblemGroup[]): Markup | undefined {
  if (groups.length === 0) return undefined;
  return html`<h2>${groups.length === 1 ? "Problem" : "Problems"}</h2>
    ${groups.map(problem)}`;
}

function problem({ code, what, remedy, locations }: ProblemGroup): Markup {
  const [first, ...output] = what.split("\n");
  const where = locationLines(locations).map((line) => html`<li>${withLineBreaks(line)}</li>`);
  return html`<div class="problem box bad">
    <p class="verdict">${first}</p>
    ${output.length === 0 ? undefined : preformatted(output.join("\n"), "output")}
    ${
      where.length === 0
        ? undefined
        : html`<ul>
            ${where}
          </ul>`
    }
    <p class="quiet">${code}</p>
    ${remedy === undefined ? undefined : [html`<h3>What to do</h3>`, ...remedyParts(remedy).map(remedyPart)]}
  </div> `;
}

function remedyPart({ kind, text }: RemedyPart): Markup {
  return kind === "prose" ? html`<p>${withLineBreaks(text)}</p>` : preformatted(text, "command");
}

/** Every service in every registry at a glance. */
function overview({ services }: Report): Markup | undefined {
  const registries = [
    ...new Set(services.flatMap((service) => service.registries.map(({ registry }) => registry))),
  ];
  if (services.length === 0) return undefined;
  const rows = services.map((service, index): Part[] => [
    html`<a href="#${anchorOf(index)}">${service.service}</a
      ><small>${stateMark(service.state)} ${noWrap(duration(service.durationMs))}</small>`,
    ...registries.map((registry) => registryCell(service, registry)),
  ]);
  return html`<h2>Overview</h2>
    ${matrixTable({ caption: "Services and registries", columns: ["service", ...registries], rows })}`;
}

function registryCell(service: ServiceReport, registry: string): Markup | undefined {
  const row = service.registries.find((each) => each.registry === registry);
  if (row === undefined) return undefined;
  const tags = tagCount(service, registry);
  return html`${stateMark(row.state)}${tags === undefined ? undefined : html`<small>${mark(tags.tone, tags.words)}</small>`}`;
}
