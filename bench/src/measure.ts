import { cp, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Catalog, Platform } from "@tgo/catalog";
import { startRegistry } from "@tgo/testing";
import { editSource } from "./edit.js";
import { type Answer, type BuildJob, type EngineName, type Measured, SIZED_TAG } from "./job.js";
import type { Kind } from "./kinds.js";
import type { Measurements } from "./measurements.js";
import type { Unit } from "./plan.js";
import { runJob } from "./process.js";
import { declaredArgs, type Sample } from "./samples.js";
import { baseLayers, layersOf } from "./size.js";
import { freshState, type FreshState } from "./state.js";

export interface Laboratory {
  readonly engine: EngineName;
  readonly catalog: Catalog;
  readonly caBundle: string | undefined;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly native: Platform;
  readonly foreign: Platform;
  /** The measuring process's program. */
  readonly program: string;
  /** A folder for what is written meanwhile. */
  readonly work: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Images are pushed once, outside of what is timed as building, to learn their size. */
const PUSHED_IN_ROUND = 1;
const PUSHED: readonly Kind[] = ["both", "dockerfile", "emulated"];

/**
 * Measures what a unit asks for, on an engine that has nothing. Failures are recorded, not thrown.
 * @param onMeasured is told of each build as soon as it is done
 */
export async function measureUnit(
  lab: Laboratory,
  unit: Unit,
  { sample, record }: { sample: Sample; record: Measurements },
  onMeasured: (kind: Kind, result: Measured | string) => void,
): Promise<void> {
  const source = join(lab.work, sample.name);
  await copySource(sample.folder, source);
  const state = await freshState(lab.work);
  try {
    const emptied = await emptyEngine(lab, state);
    let failed = emptied.kind === "failed" ? emptied.message : undefined;
    for (const kind of unit.kinds) {
      if (lab.signal.aborted) return;
      const place = { kind, round: unit.round };
      if (kind === "edit") {
        record.edited = await editSource(source, sample.service.build.strategy, `round ${unit.round}`);
      }
      const result = failed ?? (await measureKind(lab, { ...place, sample, source, state, record }));
      // An interrupted build is neither measured nor failed.
      if (aborted(lab.signal)) return;
      if (typeof result === "string") {
        failed ??= `not measured, because the build before it failed`;
        record.failures.push({ ...place, message: result });
      } else {
        const { seconds, pushSeconds, peakMemory, peakMemoryPushed, steps } = result;
        record.runs.push({ ...place, seconds, pushSeconds, peakMemory, peakMemoryPushed, steps });
        record.engine = result.engine;
      }
      onMeasured(kind, result);
    }
  } finally {
    await state.discard();
    await rm(source, { recursive: true, force: true });
  }
}

/** Asked anew: it changes while something is awaited. */
function aborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

async function copySource(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true });
  const skipped = new Set(["node_modules", ".git", ".venv", "__pycache__"]);
  await cp(from, to, { recursive: true, filter: (path) => !skipped.has(basename(path)) });
}

/** The embedded engine gets a new folder; Dagger's throws away what it has. */
function emptyEngine(lab: Laboratory, state: FreshState): Promise<Answer> {
  return lab.engine === "dagger" ? run(lab, state, { task: "prune" }) : Promise.resolve({ kind: "done" });
}

interface Experiment {
  readonly kind: Kind;
  readonly round: number;
  readonly sample: Sample;
  readonly source: string;
  readonly state: FreshState;
  readonly record: Measurements;
}

/** @returns what was measured, or why it was not */
async function measureKind(lab: Laboratory, experiment: Experiment): Promise<Measured | string> {
  const { kind, round, sample } = experiment;
  const pushed = round === PUSHED_IN_ROUND && PUSHED.includes(kind);
  const registry = pushed ? await startRegistry({ auth: "none" }) : undefined;
  try {
    const job: BuildJob = {
      task: "build",
      engine: lab.engine,
      home: experiment.state.home,
      caBundle: lab.caBundle,
      catalog: lab.catalog,
      service: sample.name,
      source: experiment.source,
      build: await buildOf(lab, kind, sample),
      push: registry?.host,
    };
    const answer = await run(lab, experiment.state, job);
    if (answer.kind === "failed") return answer.message;
    if (answer.kind === "done") return "the building process measured nothing";
    if (registry !== undefined) await recordSizes(lab, experiment, registry.host);
    return answer.measured;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await registry?.stop();
  }
}

async function buildOf(
  { native, foreign, buildArgs }: Laboratory,
  kind: Kind,
  sample: Sample,
): Promise<BuildJob["build"]> {
  switch (kind) {
    case "one":
      return { by: "us", platforms: [native] };
    case "foreign":
      return { by: "us", platforms: [foreign] };
    case "both":
    case "warm":
    case "edit":
      return { by: "us", platforms: [native, foreign] };
    case "dockerfile":
      return { by: "dockerfile", platform: native, args: await declaredArgs(sample, buildArgs) };
    case "emulated":
      return { by: "dockerfile", platform: foreign, args: await declaredArgs(sample, buildArgs) };
  }
}

async function recordSizes(
  { native, foreign, catalog }: Laboratory,
  { kind, sample, record }: Experiment,
  registry: string,
): Promise<void> {
  const ours = kind === "both";
  const platforms = ours ? [native, foreign] : [kind === "dockerfile" ? native : foreign];
  const layers = await layersOf(registry, sample.name, SIZED_TAG, platforms);
  for (const [platform, list] of layers) record.addSize(ours ? "ours" : "dockerfile", platform, list);
  const { build } = sample.service;
  if (!ours || !("base" in build)) return;
  const base = await baseLayers(build.base, catalog.mirrors.images, [native, foreign]);
  record.addStored(base, layers.get(native) ?? [], layers.get(foreign) ?? []);
}

function run(
  { program, timeoutMs, signal }: Laboratory,
  { env }: FreshState,
  job: Parameters<typeof runJob>[0],
): Promise<Answer> {
  return runJob(job, { program, env: { ...process.env, ...env }, timeoutMs, signal });
}
