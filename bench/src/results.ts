import type { Kind } from "./kinds.js";
import type { Step } from "./job.js";
import type { ImageSize, Stored } from "./size.js";
import type { Rounds } from "./plan.js";
import { spreadOf, type Spread } from "./statistics.js";

/** One timed build. */
export interface Run {
  readonly kind: Kind;
  readonly round: number;
  readonly seconds: number;
  readonly pushSeconds?: number | undefined;
  /** Bytes. */
  readonly peakMemory: number;
  readonly peakMemoryPushed?: number | undefined;
  readonly steps: readonly Step[];
}

export interface Failure {
  readonly kind: Kind;
  readonly round: number;
  readonly message: string;
}

/** Of the images of round 1. */
export interface Sizes {
  /** By platform. */
  readonly ours: Readonly<Record<string, ImageSize>>;
  readonly dockerfile: Readonly<Record<string, ImageSize>>;
  readonly stored?: Stored | undefined;
}

export interface ServiceResults {
  readonly service: string;
  readonly strategy: string;
  readonly hasDockerfile: boolean;
  /** The source file whose edit was measured. */
  readonly edited?: string | undefined;
  readonly runs: readonly Run[];
  readonly failures: readonly Failure[];
  readonly sizes: Sizes;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** Bytes. */
  readonly memory: number;
  readonly os: string;
  readonly kernel: string;
}

/** Everything docs/benchmarks.json holds. */
export interface Results {
  /** RFC 3339, when the benchmark began. */
  readonly date: string;
  readonly command: string;
  readonly seconds: number;
  readonly engine: string;
  /** How coldness was had. */
  readonly cold: string;
  readonly bases: string;
  readonly native: string;
  readonly foreign: string;
  readonly rounds: Rounds;
  readonly machine: Machine;
  /** By name of the tool. */
  readonly versions: Readonly<Record<string, string>>;
  readonly services: readonly ServiceResults[];
}

export function secondsOf({ runs }: Pick<ServiceResults, "runs">, kind: Kind): Spread | undefined {
  return spreadOf(runs.filter((run) => run.kind === kind).map(({ seconds }) => seconds));
}

/** The run whose time is nearest to the median of its kind. */
export function typicalRun(results: Pick<ServiceResults, "runs">, kind: Kind): Run | undefined {
  const median = secondsOf(results, kind)?.median;
  if (median === undefined) return undefined;
  const distance = ({ seconds }: Run): number => Math.abs(seconds - median);
  return results.runs.filter((run) => run.kind === kind).sort((a, b) => distance(a) - distance(b))[0];
}

/** Our own builds of a service, not its Dockerfile's. */
export function ours({ runs }: Pick<ServiceResults, "runs">): Run[] {
  return runs.filter(({ kind }) => kind !== "dockerfile" && kind !== "emulated");
}

/** Bytes: the most that any of our builds of a service used. */
export function peakMemoryOf(service: Pick<ServiceResults, "runs">): number | undefined {
  return spreadOf(ours(service).map((run) => run.peakMemoryPushed ?? run.peakMemory))?.max;
}
