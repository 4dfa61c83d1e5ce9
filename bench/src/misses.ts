import { describeKind } from "./kinds.js";
import type { Step } from "./job.js";
import { typicalRun, type Results } from "./results.js";
import { evaluateTargets, format } from "./targets.js";

/** Shorter steps, as a share of the build, explain nothing. */
const MIN_SHARE = 0.04;
const MAX_STEPS = 8;

/** A missed target, and what that build spent its time on. */
export interface Miss {
  readonly service: string;
  readonly text: string;
  /** Longest first. */
  readonly steps: readonly string[];
}

export function missesOf(results: Results): Miss[] {
  return results.services.flatMap((service) =>
    evaluateTargets(service, results)
      .filter(({ met }) => met === false)
      .map(({ target, bound, value, unit, explainedBy }) => {
        const run = explainedBy === undefined ? undefined : typicalRun(service, explainedBy);
        const build =
          run === undefined
            ? ""
            : `; ${describeKind(run.kind, results.native, results.foreign)} took ${run.seconds.toFixed(1)} s`;
        return {
          service: service.service,
          text: `${target}: ${value === undefined ? "" : format(value, unit)} (target ${bound})${build}`,
          steps: run === undefined ? [] : longest(run.steps, run.seconds).map(stepText),
        };
      }),
  );
}

function longest(steps: readonly Step[], seconds: number): Step[] {
  return [...steps]
    .filter((step) => step.seconds >= seconds * MIN_SHARE)
    .sort((a, b) => b.seconds - a.seconds)
    .slice(0, MAX_STEPS);
}

function stepText({ kind, title, platform, at, seconds }: Step): string {
  const where = platform === undefined ? "" : ` ${platform}`;
  return `${seconds.toFixed(1)} s, from ${at.toFixed(1)} s: ${kind}${where} ${title}`.slice(0, 140);
}
