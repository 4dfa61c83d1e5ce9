import { gridOf, type Grid, type GridCell, type Tone } from "../grid.js";
import type { Report } from "../report.js";
import { cell, table, tableWidth, type Cell } from "../table.js";
import type { Page } from "./page.js";

/** Every service, platform and registry at a glance. */
export function grid(report: Report, { colors, width }: Page): string[] {
  const shape = gridOf(report);
  if (shape.rows.length === 0) return [];
  const paints: Readonly<Record<Tone, (text: string) => string>> = {
    good: colors.green,
    waiting: colors.yellow,
    bad: colors.red,
  };
  const state = ({ words, tone }: GridCell): Cell =>
    cell(words, words === "-" ? {} : { paint: paints[tone] });
  const header = headerOf(shape, "platforms");
  const rows = (platformName: (platform: string) => string): Cell[][] =>
    shape.rows.map((row, index) => [
      cell(shape.rows[index - 1]?.service === row.service ? "" : row.service, { paint: colors.bold }),
      ...(hasPlatforms(shape) ? [cell(row.platforms.map(platformName).join(", ") || "-")] : []),
      ...(shape.hasTests ? [state(row.tested)] : []),
      ...row.registries.map((each) => (each === undefined ? cell("-") : state(each))),
    ]);
  const whole = rows((platform) => platform);
  const fits = tableWidth(header, whole) <= width;
  const options = { width, indent: "", paintHeader: colors.dim };
  if (fits) return table(header, whole, options);
  // All images are of Linux: where the table is too wide, the architecture names the platform.
  return table(
    headerOf(shape, "for"),
    rows((platform) => platform.replace(/^linux\//, "")),
    options,
  );
}

function headerOf(shape: Grid, platforms: string): string[] {
  return [
    "service",
    ...(hasPlatforms(shape) ? [platforms] : []),
    ...(shape.hasTests ? ["tested"] : []),
    ...shape.registries,
  ];
}

function hasPlatforms({ rows }: Grid): boolean {
  return rows.some(({ platforms }) => platforms.length > 0);
}
