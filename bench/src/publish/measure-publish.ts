import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { duration } from "@tgo/report";
import { copySource } from "../measure.js";
import { editSource } from "../edit.js";
import type { Sample } from "../samples.js";
import { freshState } from "../state.js";
import { runPublish } from "./publish-run.js";
import type { PublishOptions } from "./publish-options.js";
import type { MeasuredPublish, PublishKind } from "./publish-results.js";

export interface PublishBench {
  readonly options: PublishOptions;
  readonly native: string;
  readonly foreign: string;
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

/** Cold publishes of one round, in turns: first one code, then the other; the next round begins with the other. */
export function turnsOf(codes: readonly string[], round: number): string[] {
  return round % 2 === 0 ? [...codes].reverse() : [...codes];
}

/**
 * Measures one service in one round: one platform, then both with what follows on the same engine.
 * @throws Error when a publish fails
 */
export async function measureRound(
  bench: PublishBench,
  sample: Sample,
  round: number,
): Promise<MeasuredPublish[]> {
  const { kinds, checkouts } = bench.options;
  const runs: MeasuredPublish[] = [];
  const groups: PublishKind[][] = [["one"], ["both", "warm", "edit"]];
  for (const group of groups.map((group) => group.filter((kind) => kinds.includes(kind)))) {
    if (group.length === 0) continue;
    for (const code of turnsOf(Object.keys(checkouts), round))
      runs.push(...(await measureGroup(bench, sample, { code, group, round })));
  }
  return runs;
}

interface Group {
  readonly code: string;
  readonly group: readonly PublishKind[];
  readonly round: number;
}

async function measureGroup(
  bench: PublishBench,
  sample: Sample,
  { code, group, round }: Group,
): Promise<MeasuredPublish[]> {
  const { options, native, foreign, work, signal, print } = bench;
  const state = await freshState(work);
  const source = join(work, sample.name);
  const runs: MeasuredPublish[] = [];
  try {
    await copySource(sample.folder, source);
    const catalog = join(work, "tgo.catalog.json");
    // Repositories of their own, so that a registry has nothing of it.
    const place = `${code}-${group[0] ?? ""}-${round}-${Date.now()}`;
    await writeFile(catalog, JSON.stringify(catalogOf(bench, place)));
    for (const kind of group) {
      if (kind === "edit") await editSource(source, sample.service.build.strategy, `round ${round}`);
      const args = ["--engine", "local", "--service", sample.name, "--source", source, "--catalog", catalog];
      const run = await runPublish({
        checkout: options.checkouts[code] ?? "",
        args: [
          ...args,
          ...["--docker-config", `file:${bench.dockerConfig}`, "--format", "json"],
          ...["--platform", kind === "one" ? native : `${native},${foreign}`],
          ...(options.caBundle === undefined ? [] : ["--ca-bundle", options.caBundle]),
        ],
        env: { ...process.env, XDG_CACHE_HOME: state.home, GITHUB_STEP_SUMMARY: "", NO_COLOR: "1" },
        timeoutMs: options.timeoutMs,
        signal,
      });
      const { seconds, processorSeconds } = run;
      print(
        `round ${round}  ${sample.name}  ${code}  ${kind}: ${duration(seconds * 1000)}, processor ${processorSeconds.toFixed(1)} s`,
      );
      runs.push({ service: sample.name, code, kind, seconds, processorSeconds });
    }
    return runs;
  } finally {
    await state.discard();
  }
}

function catalogOf({ registries, mirror }: PublishBench, place: string): object {
  const own = registries.map(({ name, host, isPublic }): [string, object] => [
    name,
    { host, repository: `${place}/{service}`, required: true, public: isPublic },
  ]);
  return {
    registries: { ghcr: null, dockerhub: null, acr: null, ...Object.fromEntries<object>(own) },
    mirrors: { images: { "docker.io": mirror } },
  };
}
