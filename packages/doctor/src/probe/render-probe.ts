import { problemText } from "@tgo/errors";
import type { ProbeResult } from "./probe-registry.js";

/** What a registry does, as a table that can go into an issue; then what was left behind. */
export function renderProbe({ host, repository, rows, left, problem }: ProbeResult): string {
  const width = Math.max(0, ...rows.map(({ row }) => row.length));
  return [
    `${host}/${repository}`,
    "",
    ...rows.map(({ row, answer }) => `  ${row.padEnd(width)}  ${answer}`),
    ...(problem === undefined ? [] : ["", `stopped: ${problemText(problem)}`]),
    "",
    ...(left.length === 0
      ? ["Nothing was left behind, except blobs that the registry collects by itself."]
      : [
          "Could not be removed; remove it by the registry's own console or API:",
          ...left.map((name) => `  ${host}/${name}`),
        ]),
    "",
  ].join("\n");
}
