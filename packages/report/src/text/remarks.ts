import { whose } from "../fold.js";
import { machineSummaries } from "../machine-summary.js";
import { noteSummaries } from "../note-summary.js";
import { recordLocation } from "../record-location.js";
import type { Report } from "../report.js";
import { hanging } from "../table.js";
import type { Page } from "./page.js";

/** On which promised machines each platform runs. */
export function machines(report: Report, { colors, width }: Page): string[] {
  const summaries = machineSummaries(report);
  if (summaries.length === 0) return [];
  const services = report.services.map(({ service }) => service);
  return [
    colors.dim("machines"),
    ...summaries.flatMap(({ platform, lines, services: own }) => {
      const of = whose(own, services);
      const name = of === "" || services.length === 1 ? platform : `${platform} of ${of}`;
      return lines.flatMap((line) => hanging(`  ${name}: `, line, width));
    }),
  ];
}

/** What needs no action, each remark once. */
export function notes(report: Report, { colors, width }: Page): string[] {
  const summaries = noteSummaries(report);
  if (summaries.length === 0) return [];
  const services = report.services.map(({ service }) => service);
  return [
    colors.dim(summaries.length === 1 ? "note" : "notes"),
    ...summaries.flatMap(({ text, services: own }) => {
      const of = services.length === 1 ? "" : whose(own, services);
      return hanging("  - ", of === "" ? text : `${of}: ${text}`, width);
    }),
  ];
}

/** Where a release's record is. */
export function record(report: Report, { colors, width }: Page): string[] {
  const location = recordLocation(report);
  return location === undefined ? [] : hanging(`${colors.dim("record")}  `, location, width);
}
