import { digestSummary } from "../digest-summary.js";
import { sharedRevision } from "../headline.js";
import type { RegistryReport, Report, ServiceReport, TagReport, VariantReport } from "../report.js";
import { duration, size } from "../quantities.js";
import {
  fileSummary,
  foreignFiles,
  isKnown,
  machineLines,
  missingLibraries,
  smokeSummary,
} from "../variant-summary.js";
import { tagChange } from "../tag-summary.js";
import { commitPage, link, repositoryPage } from "./links.js";
import { withLineBreaks, html, noWrap, preformatted, type Markup, type Part } from "./markup.js";
import { stateMark } from "./state.js";
import { cardTable } from "./table.js";

/** The id the overview links to. */
export function anchorOf(index: number): string {
  return `service-${index + 1}`;
}

/** Everything about one service. */
export function serviceSection(service: ServiceReport, index: number, report: Report): Markup {
  const { tag, source, notes } = service;
  // The page's head has the revision of all services.
  const revision = sharedRevision(report) === undefined ? service.revision : undefined;
  const fields: readonly (readonly [string, Part])[] = [
    ...digestRows(service),
    ...(tag === undefined ? [] : [["tag", html`<code>${tag}</code>`] as const]),
    ...(revision === undefined
      ? []
      : [["revision", html`${link(commitPage(source, revision), html`<code>${revision}</code>`)}`] as const]),
  ];
  return html`<section class="service" id="${anchorOf(index)}" aria-labelledby="${anchorOf(index)}-title">
    <h2 id="${anchorOf(index)}-title">
      ${service.service} ${stateMark(service.state)}
      <small class="quiet">${duration(service.durationMs)}</small>
    </h2>
    <dl>
      ${fields.map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${value}</dd>`,
      )}
    </dl>
    ${commands(service)}${checkTable(service)}${registryTable(service)}${tagTable(service, report.version)}${variantTable(service)}${noteList(notes)}
  </section> `;
}

function digestRows(service: ServiceReport): [string, Part][] {
  const digest = digestSummary(service);
  if (digest.kind === "none") return [];
  if (digest.kind === "one") {
    const remark =
      digest.remark === undefined ? undefined : html` <span class="quiet">(${digest.remark})</span>`;
    return [["digest", html`<code class="whole">${digest.digest}</code>${remark}`]];
  }
  const each = digest.digests.map(
    (one) =>
      html`<li>
        <code class="whole">${one.digest}</code> in ${one.registries.join(", ") || "no registry"}
      </li>`,
  );
  return [
    [
      "digest",
      html`<strong class="bad">the digests differ:</strong>
        <ul>
          ${each}
        </ul>`,
    ],
  ];
}

function digestCell(digest: string | undefined): Markup | undefined {
  return digest === undefined ? undefined : html`<code class="whole">${digest}</code>`;
}

/** How to get the image and how to look into it, from the first registry that has it. */
function commands({ registries, digest }: ServiceReport): Markup | undefined {
  const row = registries.find(({ state, reference }) => HAVE.has(state) && isTagged(reference));
  if (row === undefined || digest === undefined) return undefined;
  return html`<h3>Pull and inspect</h3>
    ${preformatted(`docker pull ${row.reference}`, "command")}
    ${preformatted(`docker buildx imagetools inspect ${row.reference}`, "command")} `;
}

const HAVE: ReadonlySet<RegistryReport["state"]> = new Set(["done", "already there", "verified"]);

/** A service that failed early has a repository, but no image in it to name. */
function isTagged(reference: string): boolean {
  return /[:@]/.test(reference.slice(reference.lastIndexOf("/")));
}

function checkTable({ checks = [] }: ServiceReport): Markup | undefined {
  if (checks.length === 0) return undefined;
  const rows = checks.map(({ name, state, evidence }): Part[] => [
    name,
    stateMark(state),
    evidence.map((line) => html`${line}<br />`),
  ]);
  return cardTable({ caption: "Checks", columns: ["check", "state", "evidence"], rows });
}

function registryTable(service: ServiceReport): Markup | undefined {
  const { registries } = service;
  if (registries.length === 0) return undefined;
  const rows = registries.map((row): Part[] => [
    link(repositoryPage(row.reference), row.registry),
    stateMark(row.state),
    row.digest === service.digest ? undefined : digestCell(row.digest),
    sent(row),
    row.state === "not started" ? undefined : noWrap(duration(row.durationMs)),
    row.record === undefined ? undefined : stateMark(row.record),
    isTagged(row.reference) && row.state !== "not started"
      ? html`<code class="whole">${row.reference}</code>`
      : undefined,
  ]);
  const columns = ["registry", "state", "digest", "sent", "time", "record", "image"];
  return cardTable({ caption: "Registries", columns, rows });
}

function sent({ uploaded, state }: RegistryReport): Markup | undefined {
  if (uploaded === undefined) return undefined;
  return noWrap(uploaded === 0 && state !== "failed" ? "nothing" : size(uploaded));
}

function tagTable({ tags = [] }: ServiceReport, version: string | undefined): Markup | undefined {
  if (tags.length === 0) return undefined;
  const names = [...new Set(tags.map(({ tag }) => tag))];
  const rows = [...new Set(tags.map(({ registry }) => registry))].map((registry): Part[] => [
    registry,
    ...names.map((name) => {
      const found = tags.find((each) => each.registry === registry && each.tag === name);
      return found === undefined ? undefined : tagCell(found, version);
    }),
  ]);
  return cardTable({ caption: "Tags", columns: ["registry", ...names], rows });
}

function tagCell(tag: TagReport, version: string | undefined): Markup {
  const { words, change, why } = tagChange(tag, version);
  return html`${stateMark(tag.state, words)}
  ${change === undefined ? undefined : html`<small class="beside">${change}</small>`}${why === undefined ? undefined : html`<small>${withLineBreaks(why)}</small>`}`;
}

function variantTable({ variants }: ServiceReport): Markup | undefined {
  const known = variants.filter(isKnown);
  if (known.length === 0) return undefined;
  const rows = known.map((variant): Part[] => [
    variant.platform,
    variant.size === undefined ? undefined : noWrap(size(variant.size)),
    digestCell(variant.digest),
    files(variant),
    variant.smoke?.machine,
    smokeRun(variant),
  ]);
  return cardTable({
    caption: "Platforms",
    columns: ["platform", "size", "digest", "files", "machine", "smoke run"],
    rows,
  });
}

function files(variant: VariantReport): Markup {
  const wrong = [...foreignFiles(variant), ...missingLibraries(variant)];
  const summary = fileSummary(variant).join(", ");
  if (wrong.length === 0) return html`${summary}`;
  return html`<strong class="bad">${summary}</strong
    >${wrong.map((path) => html`<small><code>${path}</code></small>`)}`;
}

function smokeRun(variant: VariantReport): Markup {
  const { smoke } = variant;
  const state = smoke === undefined ? "not run" : smoke.ok ? "ok" : "FAILED";
  return html`${stateMark(state, smokeSummary(smoke))}${[...(smoke?.lines ?? []), ...machineLines(variant)].map((line) => html`<small>${withLineBreaks(line)}</small>`)}`;
}

function noteList(notes: readonly string[]): Markup | undefined {
  if (notes.length === 0) return undefined;
  return html`<h3>Notes</h3>
    <ul>
      ${notes.map((note) => html`<li>${withLineBreaks(note)}</li>`)}
    </ul> `;
}
