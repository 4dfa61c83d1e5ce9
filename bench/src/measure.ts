import { cp, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Catalog, Platform } from "@tgo/catalog";
import { startRegistry } from "@tgo/testing";
import { editSource } from "./edit.js";
import { type BuildJob, type EngineName, type JobResult, type Measured, SIZED_TAG } from "./job.js";
import type { Kind } from "./kinds.js";
import type { Measurements } from "./measurements.js";
import type { Unit } from "./plan.js";
import { runJob } from "./run-job.js";
import { declaredArgs, type Sample } from "./samples.js";
import { baseLayers, layersOf } from "./size.js";
import { freshState, type FreshState } from "./state.js";

export interface BenchContext {
  readonly engine: EngineName;
  readonly catalog: Catalog;
  readonly caBundle: string | undefined;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly native: Platform;
  readonly foreign: Platform;
  /** The bundled child process. */
  readonly program: string;
  /** A folder for temporary files. */
  readonly work: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Images are pushed once to learn their size; the build time excludes it. */
const PUSH_ROUND = 1;
const PUSHED_KINDS: readonly Kind[] = ["both", "dockerfile", "emulated"];

/**
 * Measures the builds of a unit on an empty engine. Failures are recorded, not thrown.
 * @param onMeasured called after each build
 */
export async function measureUnit(
  context: BenchContext,
  unit: Unit,
  { sample, record }: { sample: Sample; record: Measurements },
  onMeasured: (kind: Kind, result: Measured | string) => void,
): Promise<void> {
  const source = join(context.work, sample.name);
  await copySource(sample.folder, source);
  const state = await freshState(context.work);
  try {
    const emptied = await emptyEngine(context);
    let failed = emptied.kind === "failed" ? emptied.message : undefined;
    for (const kind of unit.kinds) {
      if (context.signal.aborted) return;
      const build = { kind, round: unit.round };
      if (kind === "edit") {
        record.edited = await editSource(source, sample.service.build.strategy, `round ${unit.round}`);
      }
      const result = failed ?? (await measureKind(context, { ...build, sample, source, state, record }));
      // An interrupted build counts neither as measured nor as failed.
      if (aborted(context.signal)) return;
      if (typeof result === "string") {
        failed ??= "not measured: the build before it failed";
        record.failures.push({ ...build, message: result });
      } else {
        const { engine, ...measured } = result;
        record.runs.push({ ...build, ...measured });
        record.engine = engine;
      }
      onMeasured(kind, result);
    }
  } finally {
    await state.discard();
    await rm(source, { recursive: true, force: true });
  }
}

/** A function, because TypeScript would otherwise assume that an await cannot change the signal. */
function aborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** Copies a source without what a build must not see. */
export async function copySource(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true });
  const skipped = new Set(["node_modules", ".git", ".venv", "__pycache__"]);
  await cp(from, to, { recursive: true, filter: (path) => !skipped.has(basename(path)) });
}

/** The local engine has a new folder already; Dagger's must drop its cache. */
function emptyEngine(context: BenchContext): Promise<JobResult> {
  return context.engine === "dagger" ? run(context, { task: "prune" }) : Promise.resolve({ kind: "done" });
}

interface Experiment {
  readonly kind: Kind;
  readonly round: number;
  readonly sample: Sample;
  readonly source: string;
  readonly state: FreshState;
  readonly record: Measurements;
}

/** @returns the measurement, or why there is none */
async function measureKind(context: BenchContext, experiment: Experiment): Promise<Measured | string> {
  const { kind, round, sample } = experiment;
  const pushed = round === PUSH_ROUND && PUSHED_KINDS.includes(kind);
  const registry = pushed ? await startRegistry({ auth: "none" }) : undefined;
  try {
    const job: BuildJob = {
      task: "build",
      engine: context.engine,
      home: experiment.state.home,
      caBundle: context.caBundle,
      catalog: context.catalog,
      service: sample.name,
      source: experiment.source,
      build: await buildOf(context, kind, sample),
      push: registry?.host,
    };
    const result = await run(context, job);
    if (result.kind === "failed") return result.message;
    if (result.kind === "done") return "the build process returned no measurement";
    if (registry !== undefined) await recordSizes(context, experiment, registry.host);
    return result.measured;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await registry?.stop();
  }
}

async function buildOf(
  { native, foreign, buildArgs }: BenchContext,
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
      return { by: "dockerfile", platforms: [native], args: await declaredArgs(sample, buildArgs) };
    case "emulated":
      return { by: "dockerfile", platforms: [foreign], args: await declaredArgs(sample, buildArgs) };
  }
}

async function recordSizes(
  { native, foreign, catalog }: BenchContext,
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
  { program, timeoutMs, signal }: BenchContext,
  job: Parameters<typeof runJob>[0],
): Promise<JobResult> {
  return runJob(job, { program, env: process.env, timeoutMs, signal });
}
