import type { Kind } from "./kinds.js";
import { ours, secondsOf, type Results, type ServiceResults } from "./results.js";
import { ratio, spreadOf, type Spread } from "./statistics.js";
import { evaluateTargets, format, type TargetResult } from "./targets.js";

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  /** The first column is a name; the others are numbers. */
  readonly rows: readonly (readonly string[])[];
}

const NOT_MEASURED = "–";

/** All measurements as tables. */
export function tablesOf(results: Results): Table[] {
  const { services, native, foreign } = results;
  const row = (cells: (service: ServiceResults) => readonly string[]): string[][] =>
    services.map((service) => [service.service, ...cells(service)]);
  return [
    {
      title: `Cold builds, seconds: median (min–max)`,
      head: [
        "service",
        `${native} alone`,
        "both",
        "both / one",
        `Dockerfile, ${native}`,
        "both / Dockerfile",
      ],
      rows: row((service) => [
        seconds(service, "one"),
        seconds(service, "both"),
        times(service, "both", "one"),
        seconds(service, "dockerfile"),
        times(service, "both", "dockerfile"),
      ]),
    },
    {
      title: `Foreign platform alone (${foreign}), cold, seconds`,
      head: ["service", "ours", "Dockerfile under emulation", "speedup"],
      rows: row((service) => [
        seconds(service, "foreign"),
        seconds(service, "emulated"),
        times(service, "emulated", "foreign"),
      ]),
    },
    {
      title: "Rebuilds, both platforms, seconds",
      head: ["service", "nothing changed", "one source file edited", "edit / cold"],
      rows: row((service) => [
        seconds(service, "warm"),
        seconds(service, "edit"),
        percent(service, "edit", "both"),
      ]),
    },
    {
      title: "Compressed images (MiB), memory of our process (MiB), push of both platforms (seconds)",
      head: [
        "service",
        `ours ${native}`,
        "Dockerfile",
        `ours ${foreign}`,
        "Dockerfile",
        "added, one",
        "added, both",
        "memory, built",
        "pushed",
        "push",
      ],
      rows: row((service) => sizeCells(service, results)),
    },
  ];
}

/** One row per target, one column per service. */
export function targetTable(results: Results): Table {
  const columns = results.services.map((service) => evaluateTargets(service, results));
  const rowName = ({ target, bound }: TargetResult): string => `${target}: ${bound}`;
  const names = [...new Set(columns.flat().map(rowName))];
  return {
    title: "Targets",
    head: ["target", ...results.services.map(({ service }) => service)],
    rows: names.map((name) => [
      name,
      ...columns.map((column) => targetCell(column.find((result) => rowName(result) === name))),
    ]),
  };
}

function targetCell(result: TargetResult | undefined): string {
  if (result?.value === undefined) return NOT_MEASURED;
  return `${format(result.value, result.unit)}${result.met === true ? "" : " MISSED"}`;
}

function seconds(service: ServiceResults, kind: Kind): string {
  const spread = secondsOf(service, kind);
  if (spread !== undefined) return spreadText(spread);
  return service.failures.some((failure) => failure.kind === kind) ? "failed" : NOT_MEASURED;
}

export function spreadText({ median, min, max, count }: Spread): string {
  return count === 1 ? median.toFixed(1) : `${median.toFixed(1)} (${min.toFixed(1)}–${max.toFixed(1)})`;
}

function times(service: ServiceResults, kind: Kind, to: Kind): string {
  const value = ratio(secondsOf(service, kind)?.median, secondsOf(service, to)?.median);
  return value === undefined ? NOT_MEASURED : format(value, "times");
}

function percent(service: ServiceResults, kind: Kind, to: Kind): string {
  const value = ratio(secondsOf(service, kind)?.median, secondsOf(service, to)?.median);
  return value === undefined ? NOT_MEASURED : format(value, "percent");
}

function sizeCells(service: ServiceResults, { native, foreign }: Results): string[] {
  const { ours: images, dockerfile, stored } = service.sizes;
  const pushes = service.runs.filter(({ kind }) => kind === "both").flatMap((run) => run.pushSeconds ?? []);
  return [
    mebibytes(images[native]?.bytes),
    mebibytes(dockerfile[native]?.bytes),
    mebibytes(images[foreign]?.bytes),
    mebibytes(dockerfile[foreign]?.bytes),
    mebibytes(stored?.one),
    mebibytes(stored?.both),
    mebibytes(spreadOf(ours(service).map(({ peakMemory }) => peakMemory))?.max, 0),
    mebibytes(spreadOf(ours(service).flatMap((run) => run.peakMemoryPushed ?? []))?.max, 0),
    spreadOf(pushes)?.median.toFixed(1) ?? NOT_MEASURED,
  ];
}

function mebibytes(bytes: number | undefined, digits = 1): string {
  return bytes === undefined ? NOT_MEASURED : (bytes / 1024 / 1024).toFixed(digits);
}
