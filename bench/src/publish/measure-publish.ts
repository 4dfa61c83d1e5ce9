import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { duration } from "@tgo/report";
import { copySource } from "../measure.js";
import { editSource } from "../edit.js";
import type { Platform } from "@tgo/catalog";
import { runJob } from "../run-job.js";
import { declaredArgs, type Sample } from "../samples.js";
import { freshState, type FreshState } from "../state.js";
import { runDockerfileWay } from "./dockerfile-way.js";
import { runPublish } from "./publish-run.js";
import type { PublishOptions } from "./publish-options.js";
import type { MeasuredPublish, PublishKind } from "./publish-results.js";

export interface PublishBench {
  readonly options: PublishOptions;
  readonly native: Platform;
  readonly foreign: Platform;
  /** The bundled child process. */
  readonly program: string;
  /** What the Dockerfile's build knows: the base images' mirror. */
  readonly catalog: unknown;
  /** The base images' mirror. */
  readonly mirror: string;
  readonly registries: readonly {
    readonly name: string;
    readonly host: string;
    readonly isPublic: boolean;
  }[];
  /** File with their credentials. */
  readonly dockerConfig: string;
  /** A folder for temporary files. */
  readonly work: string;
  readonly signal: AbortSignal;
  readonly print: (text: string) => void;
}

/** What is compared, in turns: first the one, then the other; the next round begins with the other. */
export function turnsOf<T>(codes: readonly T[], round: number): T[] {
  return round % 2 === 0 ? [...codes].reverse() : [...codes];
}

/**
 * Measures one service in one round: one platform, then both with what follows on the same engine.
 * @param onRun called after each; what follows a failure on the same engine is left out
 */
export async function measureRound(
  bench: PublishBench,
  { sample, round }: { readonly sample: Sample; readonly round: number },
  { onRun, onFailure }: { readonly onRun: OnRun; readonly onFailure: (message: string) => void },
): Promise<void> {
  const { kinds, beforeKinds, checkouts, dockerfileRounds } = bench.options;
  const failed = (error: unknown): void => {
    onFailure(`round ${round}  ${sample.name}: ${error instanceof Error ? error.message : String(error)}`);
  };
  const groups: PublishKind[][] = [["one"], ["both", "warm", "edit"], ["signed"]];
  for (const group of turnsOf(groups, round))
    for (const code of turnsOf(Object.keys(checkouts), round)) {
      const measured = group.filter((kind) => (code === "before" ? beforeKinds : kinds).includes(kind));
      if (measured.length > 0)
        await measureGroup(bench, sample, { code, group: measured, round, onRun }).catch(failed);
    }
  if (kinds.includes("dockerfile") && sample.hasDockerfile && round <= dockerfileRounds)
    await measureDockerfile(bench, sample, round).then(onRun, failed);
}

/** A run, without what all runs of its checkout have. */
type NewRun = Omit<MeasuredPublish, "commit" | "machine">;

type OnRun = (run: NewRun) => void;

/** A service's own Dockerfile, on an empty engine. */
async function measureDockerfile(bench: PublishBench, sample: Sample, round: number): Promise<NewRun> {
  const { options, native, foreign, program, work, signal, catalog } = bench;
  const state = await emptyEngine(bench);
  const source = join(work, sample.name);
  try {
    await copySource(sample.folder, source);
    const args = await declaredArgs(sample, options.buildArgs);
    const { seconds, processorSeconds } = await runDockerfileWay({
      ...{ program, work, signal, timeoutMs: options.timeoutMs },
      env: { ...process.env, XDG_CACHE_HOME: state.home },
      job: {
        ...{ engine: options.engine, home: state.home, caBundle: options.caBundle, catalog },
        ...{ service: sample.name, source },
        build: { by: "dockerfile", platforms: [native, foreign], args },
      },
    });
    return told(
      bench,
      { service: sample.name, code: "after", kind: "dockerfile", seconds, processorSeconds },
      round,
    );
  } finally {
    await state.discard();
  }
}

/** @throws Error if Dagger's cache cannot be pruned */
async function emptyEngine({ options, program, work, signal }: PublishBench): Promise<FreshState> {
  const state = await freshState(work);
  if (options.engine === "local" || options.keepCache) return state;
  const { timeoutMs } = options;
  const pruned = await runJob({ task: "prune" }, { program, env: process.env, timeoutMs, signal });
  if (pruned.kind === "failed") throw new Error(`cannot prune the engine's cache: ${pruned.message}`);
  return state;
}

function told({ print }: PublishBench, run: NewRun, round: number): NewRun {
  const { service, code, kind, seconds, processorSeconds } = run;
  print(
    `round ${round}  ${service}  ${code}  ${kind}: ${duration(seconds * 1000)}, processor ${processorSeconds.toFixed(1)} s`,
  );
  return run;
}

interface Group {
  readonly code: string;
  readonly group: readonly PublishKind[];
  readonly round: number;
  readonly onRun: OnRun;
}

async function measureGroup(
  bench: PublishBench,
  sample: Sample,
  { code, group, round, onRun }: Group,
): Promise<void> {
  const { options, native, foreign, work, signal } = bench;
  const state = await emptyEngine(bench);
  const source = join(work, sample.name);
  try {
    await copySource(sample.folder, source);
    const catalog = join(work, "tgo.catalog.json");
    // Repositories of their own, so that a registry has nothing of it.
    const place = `${code}-${group[0] ?? ""}-${round}-${Date.now()}`;
    await writeFile(catalog, JSON.stringify(catalogOf(bench, place)));
    for (const kind of group) {
      if (kind === "edit") await editSource(source, sample.service.build.strategy, `round ${round}`);
      const args = [
        "--engine",
        options.engine,
        "--service",
        sample.name,
        "--source",
        source,
        "--catalog",
        catalog,
      ];
      const run = await runPublish({
        checkout: options.checkouts[code] ?? "",
        args: [
          ...args,
          ...(kind === "signed" ? ["--signing-key", `file:${await signingKey(work)}`] : []),
          ...["--docker-config", `file:${bench.dockerConfig}`, "--format", "json"],
          ...["--platform", kind === "one" ? native : `${native},${foreign}`],
          ...(options.caBundle === undefined ? [] : ["--ca-bundle", options.caBundle]),
        ],
        // Dagger's client keeps itself there.
        env: {
          ...process.env,
          ...(options.engine === "local" ? { XDG_CACHE_HOME: state.home } : {}),
          GITHUB_STEP_SUMMARY: "",
          NO_COLOR: "1",
        },
        timeoutMs: options.timeoutMs,
        signal,
        onDagger: options.engine === "dagger",
      });
      const { seconds, processorSeconds } = run;
      onRun(told(bench, { service: sample.name, code, kind, seconds, processorSeconds }, round));
    }
  } finally {
    await state.discard();
  }
}

async function signingKey(work: string): Promise<string> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const file = join(work, "signing-key.pem");
  await writeFile(file, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  return file;
}

function catalogOf({ registries, mirror }: PublishBench, place: string): object {
  const own = registries.map(({ name, host, isPublic }): [string, object] => [
    name,
    { host, repository: `${place}/{service}`, required: true, public: isPublic, referrers: true },
  ]);
  return {
    registries: { ghcr: null, dockerhub: null, acr: null, ...Object.fromEntries<object>(own) },
    mirrors: { images: { "docker.io": mirror } },
  };
}
