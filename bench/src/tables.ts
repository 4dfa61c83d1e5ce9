import type { Kind } from "./kinds.js";
import { ours, secondsOf, type Results, type ServiceResults } from "./results.js";
import { ratio, spreadOf, type Spread } from "./statistics.js";
import { format, judge, type Verdict } from "./targets.js";

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  /** The first column is a name; the others are numbers. */
  readonly rows: readonly (readonly string[])[];
}

const NOT_MEASURED = "–";

/** Everything that was measured, as tables for people. */
export function tablesOf(results: Results): Table[] {
  const { services, native, foreign } = results;
  const row = (cells: (service: ServiceResults) => readonly string[]): string[][] =>
    services.map((service) => [service.service, ...cells(service)]);
  return [
    {
      title: `Cold builds, seconds: median (least–most)`,
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
      title: `The foreign platform alone (${foreign}), cold, seconds`,
      head: ["service", "ours", "Dockerfile under emulation", "times faster"],
      rows: row((service) => [
        seconds(service, "foreign"),
        seconds(service, "emulated"),
        times(service, "emulated", "foreign"),
      ]),
    },
    {
      title: "Both platforms again, seconds",
      head: ["service", "nothing changed", "one source file edited", "edit / cold"],
      rows: row((service) => [
        seconds(service, "warm"),
        seconds(service, "edit"),
        percent(service, "edit", "both"),
      ]),
    },
    {
      title: "Images (compressed, MiB), memory of our process (MiB), and pushing both platforms (seconds)",
      head: [
        "service",
        `ours ${native}`,
        "Dockerfile",
        `ours ${foreign}`,
        "Dockerfile",
        "added by one",
        "by both",
        "memory, built",
        "pushed",
        "push",
      ],
      rows: row((service) => sizeCells(service, results)),
    },
  ];
}

/** A row a target, a column a service. */
export function targetTable(results: Results): Table {
  const judged = results.services.map((service) => judge(service, results));
  const targets = [
    ...new Map(judged.flat().map((verdict) => [`${verdict.target}: ${verdict.wanted}`, verdict])),
  ].map(([key]) => key);
  return {
    title: "Targets",
    head: ["target", ...results.services.map(({ service }) => service)],
    rows: targets.map((key) => [
      key,
      ...judged.map((verdicts) =>
        verdictCell(verdicts.find((verdict) => `${verdict.target}: ${verdict.wanted}` === key)),
      ),
    ]),
  };
}

export function verdictCell(verdict: Verdict | undefined): string {
  if (verdict?.seen === undefined) return NOT_MEASURED;
  return `${format(verdict.seen, verdict.unit)}${verdict.met === true ? "" : " MISSED"}`;
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
