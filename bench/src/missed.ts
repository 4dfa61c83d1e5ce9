import { describeKind } from "./kinds.js";
import type { Step } from "./job.js";
import { typicalRun, type Results } from "./results.js";
import { format, judge } from "./targets.js";

/** What is shorter than this part of a build explains nothing. */
const WORTH_TELLING = 0.04;
const MOST_STEPS = 8;

/** A target that was not reached, and what the build in question spent its time on. */
export interface Miss {
  readonly service: string;
  readonly text: string;
  /** Longest first. */
  readonly steps: readonly string[];
}

export function missesOf(results: Results): Miss[] {
  return results.services.flatMap((service) =>
    judge(service, results)
      .filter(({ met }) => met === false)
      .map(({ target, wanted, seen, unit, explainedBy }) => {
        const run = explainedBy === undefined ? undefined : typicalRun(service, explainedBy);
        const what =
          run === undefined
            ? ""
            : `; ${describeKind(run.kind, results.native, results.foreign)} took ${run.seconds.toFixed(1)} s`;
        return {
          service: service.service,
          text: `${target}: ${seen === undefined ? "" : format(seen, unit)} (target ${wanted})${what}`,
          steps: run === undefined ? [] : longest(run.steps, run.seconds).map(stepText),
        };
      }),
  );
}

function longest(steps: readonly Step[], seconds: number): Step[] {
  return [...steps]
    .filter((step) => step.seconds >= seconds * WORTH_TELLING)
    .sort((a, b) => b.seconds - a.seconds)
    .slice(0, MOST_STEPS);
}

function stepText({ kind, title, platform, at, seconds }: Step): string {
  const where = platform === undefined ? "" : ` ${platform}`;
  return `${seconds.toFixed(1)} s, from ${at.toFixed(1)} s: ${kind}${where} ${title}`.slice(0, 140);
}
