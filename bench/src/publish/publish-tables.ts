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
];

/** Medians of wall clock and processor seconds, and how they compare. */
export function publishTables({ runs }: PublishResults): Table[] {
  const services = [...new Set(runs.map(({ service }) => service))].sort();
  const codes = [...new Set(runs.map(({ code }) => code))].sort((a, b) => order(a) - order(b));
  const spread = (service: string, code: string, kind: PublishKind, unit: Unit): Spread | undefined =>
    spreadOf(
      runs
        .filter((run) => run.service === service && run.code === code && run.kind === kind)
        .map((run) => run[unit]),
    );
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
  const compared: Table = {
    title: "Whole publish: both platforms over one, and an edit over cold",
    head: ["service", "both / before's one", "both / one", "processor: both / before's one", "edit / cold"],
    rows: services.map((service) => {
      const median = (code: string, kind: PublishKind, unit: Unit = "seconds"): number | undefined =>
        spread(service, code, kind, unit)?.median;
      const code = codes.includes("after") ? "after" : (codes[0] ?? "after");
      const processor = "processorSeconds";
      return [
        service,
        times(median(code, "both"), median("before", "one")),
        times(median(code, "both"), median(code, "one")),
        times(median(code, "both", processor), median("before", "one", processor)),
        times(median(code, "edit"), median(code, "both")),
      ];
    }),
  };
  return [
    measured("Whole publish, seconds: median (min–max)", "seconds"),
    measured("Whole publish, processor seconds: median (min–max)", "processorSeconds"),
    compared,
  ];
}

type Unit = keyof Pick<MeasuredPublish, "seconds" | "processorSeconds">;

function order(code: string): number {
  return code === "before" ? 0 : 1;
}

function cell(spread: Spread | undefined): string {
  return spread === undefined ? MISSING : spreadText(spread);
}

function times(value: number | undefined, to: number | undefined): string {
  const result = ratio(value, to);
  return result === undefined ? MISSING : `${result.toFixed(2)} ×`;
}
