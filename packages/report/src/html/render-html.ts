import { createHash } from "node:crypto";
import { gateLater, gateReasons, gateVerdict } from "../gate-lines.js";
import { scope, failure, outcome, ranBy, sharedRevision, title } from "../headline.js";
import { groupProblems, locationLines, type ProblemGroup } from "../problem-group.js";
import { recordLocation } from "../record-location.js";
import { EXPLAIN, remedyParts, type RemedyPart } from "../remedy-parts.js";
import type { Report } from "../report.js";
import { gridOf, type GridCell } from "../grid.js";
import { printable } from "../printable-text.js";
import { commitPage, link } from "./links.js";
import { withLineBreaks, html, Markup, preformatted, type Part } from "./markup.js";
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
          <p class="quiet">${began(report.began)}${revision(report)}${ranBy(report).join(" · ")}</p>
        </header>
        <main>
          ${verdict(report)}${overview(report)}${gate(report)}${problems(groupProblems(report))}${next(report)}${record(report)}${report.services.map(
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

/** The commit of all services, short as on a commit's page; the link has the rest. */
function revision(report: Report): Markup | undefined {
  const shared = sharedRevision(report);
  if (shared === undefined) return undefined;
  const address = commitPage(report.services[0]?.source, shared);
  return html`revision
  ${link(address, html`<code>${address === undefined ? shared : shared.slice(0, 12)}</code>`)} · `;
}

function verdict(report: Report): Markup | undefined {
  const failed = failure(report);
  return failed === undefined ? undefined : html`<p class="verdict ${outcome(report).tone}">${failed}</p> `;
}

function gate(report: Report): Markup | undefined {
  if (report.gate === undefined) return undefined;
  const reasons = gateReasons(report);
  const later = gateLater(report);
  const tone = report.gate.open ? "good" : "bad";
  const list = (items: readonly string[]): Markup =>
    html`<ul>
      ${items.map((item) => html`<li>${withLineBreaks(item)}</li>`)}
    </ul>`;
  return html`<div class="box ${tone}">
    <p class="verdict">${capitalised(gateVerdict(report.gate))}</p>
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
    ${remedy === undefined ? undefined : [html`<h3>What to do</h3>`, ...remedyParts(remedy).map(remedyPart)]}
    <p class="quiet">${code}: <code>${EXPLAIN} ${code}</code> says more.</p>
  </div> `;
}

function remedyPart({ kind, text }: RemedyPart): Markup {
  return kind === "prose" ? html`<p>${withLineBreaks(text)}</p>` : preformatted(text, "command");
}

/** Every service, platform and registry at a glance. */
function overview(report: Report): Markup | undefined {
  const { registries, rows, hasTests } = gridOf(report);
  if (rows.length === 0) return undefined;
  const anchors = new Map(report.services.map(({ service }, index) => [service, anchorOf(index)]));
  const cells = rows.map((row, index): Part[] => {
    const isFirst = rows[index - 1]?.service !== row.service;
    return [
      html`<a href="#${anchors.get(row.service)}">${row.service}</a
        >${isFirst ? html`<small>${stateMark(row.state)}</small>` : undefined}`,
      row.platforms.length === 0 ? undefined : html`${row.platforms.map((each) => html`<div>${each}</div>`)}`,
      ...(hasTests ? [gridCell(row.tested)] : []),
      ...row.registries.map((each) => (each === undefined ? undefined : gridCell(each))),
    ];
  });
  const columns = ["service", "platforms", ...(hasTests ? ["tested"] : []), ...registries];
  return matrixTable({ caption: "Services, platforms and registries", columns, rows: cells });
}

function gridCell({ words, tone }: GridCell): Markup | undefined {
  return words === "-" ? undefined : mark(tone, words);
}
