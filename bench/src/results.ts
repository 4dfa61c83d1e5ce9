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
  readonly pushSeconds?: number;
  /** Bytes. */
  readonly peakMemory: number;
  readonly peakMemoryPushed?: number;
  readonly steps: readonly Step[];
}

export interface Failure {
  readonly kind: Kind;
  readonly round: number;
  readonly message: string;
}

/** Of the images built in round 1. */
export interface Sizes {
  /** By platform. */
  readonly ours: Readonly<Record<string, ImageSize>>;
  readonly dockerfile: Readonly<Record<string, ImageSize>>;
  readonly stored?: Stored;
}

export interface ServiceResults {
  readonly service: string;
  readonly strategy: string;
  readonly hasDockerfile: boolean;
  /** The source file whose edit was measured. */
  readonly edited: string | undefined;
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

/** The content of docs/background/benchmarks.json. */
export interface Results {
  /** Start of the benchmark, RFC 3339. */
  readonly date: string;
  readonly command: string;
  readonly seconds: number;
  readonly engine: string;
  /** How the engine was emptied. */
  readonly cold: string;
  readonly bases: string;
  readonly native: string;
  readonly foreign: string;
  readonly rounds: Rounds;
  readonly machine: Machine;
  /** By tool. */
  readonly versions: Readonly<Record<string, string>>;
  readonly services: readonly ServiceResults[];
}

export function secondsOf({ runs }: Pick<ServiceResults, "runs">, kind: Kind): Spread | undefined {
  return spreadOf(runs.filter((run) => run.kind === kind).map(({ seconds }) => seconds));
}

/** The run closest to the median of its kind. */
export function typicalRun(results: Pick<ServiceResults, "runs">, kind: Kind): Run | undefined {
  const median = secondsOf(results, kind)?.median;
  if (median === undefined) return undefined;
  const distance = ({ seconds }: Run): number => Math.abs(seconds - median);
  return results.runs.filter((run) => run.kind === kind).sort((a, b) => distance(a) - distance(b))[0];
}

/** Builds of a service by this product, without those of its Dockerfile. */
export function ours({ runs }: Pick<ServiceResults, "runs">): Run[] {
  return runs.filter(({ kind }) => kind !== "dockerfile" && kind !== "emulated");
}

/** Bytes: the maximum over our builds of a service. */
export function peakMemoryOf(service: Pick<ServiceResults, "runs">): number | undefined {
  return spreadOf(ours(service).map((run) => run.peakMemoryPushed ?? run.peakMemory))?.max;
}
