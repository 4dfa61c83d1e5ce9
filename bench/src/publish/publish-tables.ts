import type { Table } from "../tables.js";
import { spreadText } from "../tables.js";
import { ratio, spreadOf, type Spread } from "../statistics.js";
import type { MeasuredPublish, PublishKind, PublishResults } from "./publish-results.js";

const MISSING = "–";
const KINDS: readonly (readonly [PublishKind, string])[] = [
  ["one", "one platform, cold"],
  ["both", "both, cold"],
  ["warm", "both, nothing changed"],
  ["edit", "both, one source file edited"],
  ["signed", "both, cold, signed"],
  ["dockerfile", "Dockerfile, both"],
];

/** Medians of wall clock and processor seconds, and how they compare. */
export function publishTables(results: PublishResults): Table[] {
  const { runs } = results;
  const services = servicesOf(results);
  const codes = [...new Set(runs.map(({ code }) => code))].sort((a, b) => order(a) - order(b));
  const spread = (service: string, code: string, kind: PublishKind, unit: Unit): Spread | undefined =>
    publishSpread(results, { service, code, kind }, unit);
  const measured = (title: string, unit: Unit): Table => ({
    title,
    head: ["service", "code", ...KINDS.map(([, name]) => name), "rounds, cold"],
    rows: services.flatMap((service) =>
      codes.map((code) => [
        service,
        code,
        ...KINDS.map(([kind]) => cell(spread(service, code, kind, unit))),
        String(spread(service, code, "both", unit)?.count ?? 0),
      ]),
    ),
  });
  const code = codes.includes("after") ? "after" : (codes[0] ?? "after");
  const of = (service: string, kind: PublishKind, unit: Unit = "seconds", of = code): number | undefined =>
    spread(service, of, kind, unit)?.median;
  const compared: Table = {
    title: "Whole publish, both platforms, compared",
    head: ["what", ...services],
    rows: COMPARISONS.map(({ name, value, target }) => [
      name,
      ...services.map((service) =>
        judged(
          value((...args) => of(service, ...args)),
          target?.[service],
        ),
      ),
    ]),
  };
  return [
    measured("Whole publish, seconds: median (min–max)", "seconds"),
    measured("Whole publish, processor seconds: median (min–max)", "processorSeconds"),
    compared,
  ];
}

export function servicesOf({ runs }: PublishResults): string[] {
  return [...new Set(runs.map(({ service }) => service))].sort();
}

/** Of one kind of publish; undefined where it was not measured. */
export function publishSpread(
  { runs }: PublishResults,
  { service, code, kind }: Pick<MeasuredPublish, "service" | "code" | "kind">,
  unit: Unit,
): Spread | undefined {
  return spreadOf(
    runs
      .filter((run) => run.service === service && run.code === code && run.kind === kind)
      .map((run) => run[unit]),
  );
}

type Median = (kind: PublishKind, unit?: Unit, code?: string) => number | undefined;

interface Target {
  readonly most?: number;
  readonly least?: number;
}

interface Comparison {
  readonly name: string;
  readonly value: (median: Median) => number | undefined;
  /** By service. */
  readonly target?: Readonly<Record<string, Target>>;
}

const targets = (key: "most" | "least", api: number, rag: number, web: number): Record<string, Target> => ({
  "tgo-api": { [key]: api },
  "tgo-rag": { [key]: rag },
  "tgo-web": { [key]: web },
});

const COMPARISONS: readonly Comparison[] = [
  {
    name: "seconds, over one platform before",
    value: (median) => ratio(median("both"), median("one", "seconds", "before")),
    target: targets("most", 1.35, 1.35, 1.1),
  },
  {
    name: "seconds, over one platform",
    value: (median) => ratio(median("both"), median("one")),
    target: targets("most", 1.5, 1.5, 1.15),
  },
  {
    name: "processor seconds, over one platform before",
    value: (median) => ratio(median("both", "processorSeconds"), median("one", "processorSeconds", "before")),
    target: targets("most", 1.6, 1.6, 1.15),
  },
  {
    name: "the Dockerfile's seconds over ours",
    value: (median) => ratio(median("dockerfile"), median("both")),
    target: targets("least", 3.3, 3.3, 1.3),
  },
  {
    name: "seconds after an edit, over cold",
    value: (median) => ratio(median("edit"), median("both")),
    target: targets("most", 0.4, 0.4, 0.4),
  },
  {
    name: "processor seconds signed, with SBOMs and provenance, over unsigned",
    value: (median) => ratio(median("signed", "processorSeconds"), median("both", "processorSeconds")),
    target: targets("most", 1.05, 1.05, 1.05),
  },
];

/** "1.48 × (≤ 1.35 MISSED)" */
function judged(value: number | undefined, { most, least }: Target = {}): string {
  if (value === undefined) return MISSING;
  const text = `${value.toFixed(2)} ×`;
  const bound = most === undefined ? least : most;
  if (bound === undefined) return text;
  const isMet = most === undefined ? value >= bound : value <= bound;
  return `${text} (${most === undefined ? "≥" : "≤"} ${bound.toFixed(2)}${isMet ? "" : " MISSED"})`;
}

type Unit = keyof Pick<MeasuredPublish, "seconds" | "processorSeconds">;

function order(code: string): number {
  return code === "before" ? 0 : 1;
}

function cell(spread: Spread | undefined): string {
  return spread === undefined ? MISSING : spreadText(spread);
}
