import stringWidth from "string-width";
import { digestSummary } from "../digest-summary.js";
import type { Report } from "../report.js";
import { wrap } from "../table.js";
import type { Page } from "./page.js";

/** Each service's digest, whole and once, and where it was seen. */
export function digests({ services }: Report, { colors, width }: Page): string[] {
  const known = services
    .map((service) => ({ name: service.service, digest: digestSummary(service) }))
    .filter(({ digest }) => digest.kind !== "none");
  if (known.length === 0) return [];
  const shared = mostCommon(known.flatMap(({ digest }) => (digest.kind === "one" ? [digest.remark] : [])));
  const longest = Math.max(...known.map(({ name }) => stringWidth(name)));
  const title = known.length === 1 ? "digest" : "digests";
  return [
    colors.dim(shared === undefined ? title : `${title} (${shared})`),
    ...known.flatMap(({ name, digest }) => {
      const start = `  ${colors.bold(name)}${" ".repeat(longest + 2 - stringWidth(name))}`;
      const pad = " ".repeat(longest + 4);
      if (digest.kind === "one") {
        const isSaid = digest.remark === undefined || digest.remark === shared;
        const remark = (before: string): string[] => (isSaid ? [] : [`${before}(${digest.remark})`]);
        // A digest that does not fit beside its name has a line of its own: broken, it could not be copied.
        if (longest + 4 + digest.digest.length > width)
          return [`  ${colors.bold(name)}`, ownLine(digest.digest, width), ...remark("    ")];
        return [`${start}${digest.digest}`, ...remark(pad)];
      }
      if (digest.kind === "none") return [];
      return [
        `${start}${colors.red("DIFFERS:")}`,
        ...digest.digests.flatMap((each) =>
          wrap(`${each.digest} in ${each.registries.join(", ") || "no registry"}`, width - pad.length).map(
            (line) => pad + line,
          ),
        ),
      ];
    }),
  ];
}

const ownLine = (digest: string, width: number): string =>
  `${" ".repeat(Math.min(4, Math.max(0, width - digest.length)))}${digest}`;

/** What goes for most is said in the title. */
function mostCommon(remarks: readonly (string | undefined)[]): string | undefined {
  const counts = new Map<string, number>();
  for (const remark of remarks) if (remark !== undefined) counts.set(remark, (counts.get(remark) ?? 0) + 1);
  const [[remark, count] = [undefined, 0]] = [...counts].sort(([, a], [, b]) => b - a);
  return count > 1 || remarks.length === 1 ? remark : undefined;
}
