import type { Kind } from "./kinds.js";
import type { PublishKind, PublishResults } from "./publish/publish-results.js";
import { publishSpread, servicesOf } from "./publish/publish-tables.js";
import { secondsOf, type Results } from "./results.js";
import type { Spread } from "./statistics.js";

interface Series {
  readonly name: string;
  readonly colour: string;
  /** Of a service; undefined where it was not measured. */
  readonly spread: (service: string) => Spread | undefined;
}

interface Panel {
  readonly title: string;
  readonly services: readonly string[];
  readonly series: readonly Series[];
}

// Mid tones, readable on white and on near-black.
const OURS = "#2f81c9";
const OURS_BOTH = "#3fa66b";
const DOCKERFILE = "#c9762f";
const BEFORE = "#8b8f96";
const TEXT = "#7d8590";
const RULE = "#7d859055";

const WIDTH = 860;
const LEFT = 130;
const RIGHT = 110;
const BAR = 14;
const GAP = 3;
const BETWEEN_GROUPS = 16;
const FONT = 'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif"';

/**
 * Draws medians of cold builds and whole publishes as an SVG for light and dark pages: one group of bars per service, and
 * panels with their own scales. Thin lines show minimum and maximum.
 */
export function plot(results: Results, publishes?: PublishResults): string {
  const { native, foreign } = results;
  const services = results.services.map(({ service }) => service);
  const builds = (kind: Kind, name: string, colour: string): Series => ({
    ...{ name, colour },
    spread: (wanted) => {
      const found = results.services.find(({ service }) => service === wanted);
      return found && secondsOf(found, kind);
    },
  });
  const panels: readonly Panel[] = [
    ...(publishes === undefined ? [] : [publishPanel(publishes)]),
    {
      ...{ title: "Cold builds, seconds (lower is better)", services },
      series: [
        builds("one", `ours, ${native} alone`, OURS),
        builds("both", "ours, both platforms", OURS_BOTH),
        builds("dockerfile", `Dockerfile, ${native} alone`, DOCKERFILE),
      ],
    },
    {
      ...{ title: `${foreign} alone on a ${native} machine, cold, seconds`, services },
      series: [builds("foreign", "ours", OURS), builds("emulated", "Dockerfile under emulation", DOCKERFILE)],
    },
  ];
  const parts: string[] = [];
  let top = 8;
  for (const panel of panels) {
    const drawn = drawPanel(panel, top);
    parts.push(...drawn.parts);
    top = drawn.bottom + 26;
  }
  const height = Math.round(top - 10);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title" ${FONT} font-size="12" fill="${TEXT}">`,
    `<title id="title">Build and publish times of ${xml(services.join(", "))}</title>`,
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

function publishPanel(publishes: PublishResults): Panel {
  const of = (code: string, kind: PublishKind, name: string, colour: string): Series => ({
    ...{ name, colour },
    spread: (service) => publishSpread(publishes, { service, code, kind }, "seconds"),
  });
  return {
    title: "Whole publishes to three registries, cold, seconds (lower is better)",
    services: servicesOf(publishes),
    series: [
      of("before", "one", "before, one platform", BEFORE),
      of("after", "one", "ours, one", OURS),
      of("after", "both", "ours, both platforms", OURS_BOTH),
      of("after", "dockerfile", "Dockerfile, both", DOCKERFILE),
    ],
  };
}

function drawPanel({ title, services, series }: Panel, top: number): { parts: string[]; bottom: number } {
  const parts = [text(LEFT, top + 14, title, 'font-size="15" font-weight="600"')];
  let x = LEFT;
  for (const { name, colour } of series) {
    parts.push(`<rect x="${x}" y="${top + 27}" width="11" height="11" rx="2" fill="${colour}"/>`);
    parts.push(text(x + 16, top + 37, name));
    x += 36 + name.length * 6.6;
  }
  const first = top + 52;
  const group = series.length * (BAR + GAP) + BETWEEN_GROUPS;
  const bottom = first + services.length * group;
  const most = Math.max(
    1,
    ...services.flatMap((service) => series.map(({ spread }) => spread(service)?.max ?? 0)),
  );
  const ticks = ticksTo(most);
  const scale = (WIDTH - LEFT - RIGHT) / (ticks.at(-1) ?? most);
  for (const tick of ticks) {
    const at = rounded(LEFT + tick * scale);
    parts.push(`<line x1="${at}" y1="${first - 4}" x2="${at}" y2="${bottom}" stroke="${RULE}"/>`);
    parts.push(text(at, bottom + 15, String(tick), 'text-anchor="middle" font-size="11"'));
  }
  services.forEach((service, index) => {
    const y = first + index * group + BETWEEN_GROUPS / 2;
    const middle = y + (series.length * (BAR + GAP)) / 2 + 3;
    parts.push(text(LEFT - 10, middle, service, 'text-anchor="end" font-weight="600"'));
    series.forEach(({ spread, colour }, position) => {
      const barTop = y + position * (BAR + GAP);
      parts.push(...bar(spread(service), { top: barTop, scale, colour }));
    });
  });
  return { parts, bottom: bottom + 15 };
}

function bar(
  spread: Spread | undefined,
  { top, scale, colour }: { top: number; scale: number; colour: string },
): string[] {
  const middle = top + BAR / 2;
  if (spread === undefined) return [text(LEFT + 6, middle + 4, "not measured", 'font-size="11"')];
  const { median, min, max, count } = spread;
  const end = (value: number): number => rounded(LEFT + value * scale);
  return [
    `<rect x="${LEFT}" y="${top}" width="${rounded(Math.max(1, median * scale))}" height="${BAR}" rx="2" fill="${colour}"/>`,
    ...(count === 1
      ? []
      : [`<path d="M${end(min)} ${middle}H${end(max)}" stroke="${TEXT}" stroke-width="1.5" fill="none"/>`]),
    text(end(max) + 6, middle + 4, `${median.toFixed(1)} s`, 'font-size="11"'),
  ];
}

/** Up to eight round values, from 0 to at least the largest value. */
export function ticksTo(most: number): number[] {
  const magnitude = 10 ** Math.floor(Math.log10(most / 6));
  const step = [1, 2, 5, 10].map((each) => each * magnitude).find((each) => most / each <= 7) ?? most;
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, index) =>
    Number((index * step).toPrecision(6)),
  );
}

function text(x: number, y: number, content: string, attributes = ""): string {
  return `<text x="${rounded(x)}" y="${rounded(y)}"${attributes === "" ? "" : ` ${attributes}`}>${xml(content)}</text>`;
}

function xml(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
