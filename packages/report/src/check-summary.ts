import { shortDigest } from "@tgo/release-rules";
import { fold } from "./fold.js";
import type { CheckReport, Report } from "./report.js";

/** One check of a verification, for all services where it ended alike. */
export interface CheckSummary {
  readonly name: string;
  readonly state: CheckReport["state"];
  readonly services: readonly string[];
  /** What was seen, each once; with the service's name where services differ. */
  readonly evidence: readonly string[];
}

/** The checks of a run in their order; what services, or checks, share is said once. */
export function checkSummaries(report: Report): CheckSummary[] {
  const all = eachCheck(report).map((summary) => [summary.name, summary] as const);
  const folded = fold(all, ({ state, services, evidence }) => JSON.stringify([state, services, evidence]));
  return folded.map(({ value, names }) => ({ ...value, name: names.join(", ") }));
}

function eachCheck({ services }: Report): CheckSummary[] {
  const checked = services.filter(({ checks = [] }) => checks.length > 0);
  const names = [...new Set(checked.flatMap(({ checks = [] }) => checks.map(({ name }) => name)))];
  return names.flatMap((name) => {
    const all = checked.flatMap(({ service, digest, checks = [] }) =>
      checks
        .filter((check) => check.name === name)
        .map((check) => [service, { ...check, evidence: shortened(check.evidence, digest) }] as const),
    );
    const states = [...new Set(all.map(([, { state }]) => state))];
    return states.map((state) => {
      const own = all.filter(([, check]) => check.state === state);
      return {
        name,
        state,
        services: own.map(([service]) => service),
        evidence: shared(own.map(([service, { evidence }]) => [service, evidence] as const)),
      };
    });
  });
}

/** The index's digest is shown whole elsewhere; platforms or registries of which the same is said share a line. */
function shortened(evidence: readonly string[], digest: string | undefined): string[] {
  const lines =
    digest === undefined ? evidence : evidence.map((line) => line.replaceAll(digest, shortDigest(digest)));
  const parts = lines.map((line) => {
    const [, name = "", rest = line] = /^([^\s:]{1,30}): (.*)$/s.exec(line) ?? [];
    return [name, rest] as const;
  });
  return fold(parts, (rest, name) => JSON.stringify([name === "", rest])).map(({ value, names }) =>
    names[0] === "" ? value : `${names.join(", ")}: ${value}`,
  );
}

function shared(evidence: readonly (readonly [string, readonly string[]])[]): string[] {
  const lines = evidence.flatMap(([service, own]) => own.map((line) => [service, line] as const));
  const all = evidence.map(([service]) => service);
  return fold(lines, (line) => line).map(({ value, names }) =>
    names.length === all.length ? value : `${names.join(", ")}: ${value}`,
  );
}
