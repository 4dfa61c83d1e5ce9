import type { Problem } from "@tgo/errors";
import type { HostOptions } from "@tgo/functions";
import type { Report } from "@tgo/report";
import { callModule, type CallEngine } from "./call-module.js";
import type { LoadedModule } from "./loaded-module.js";
import type { PlatformEngine } from "./settings.js";
import type { PreparedCall } from "./prepare-call.js";
import type { Run } from "./function-run.js";
import type { SessionOptions } from "./session.js";
import { closeAll, openSessions } from "./several-sessions.js";

/** A run on several engines. */
export interface EnginesRun {
  readonly run: Run;
  readonly loading: Promise<LoadedModule>;
  readonly prepared: PreparedCall;
  readonly options: SessionOptions;
  readonly platforms: readonly PlatformEngine[];
  /** Called when all engines have answered. */
  readonly opened: () => void;
}

/** An engine with the platform that it builds. */
interface Builder extends CallEngine {
  readonly platform: string;
  readonly address: string;
}

/**
 * Builds and runs each platform on its own engine, with `build-variant`, and then calls the function with `--assemble`: the
 * images of the platforms are in a registry by then, and their proofs are of this run.
 * @param main the engine that assembles, and builds its own platform if no other does; the first one if absent
 * @returns what the function returned
 */
export async function runOnEngines(
  { run, loading, prepared, options, platforms, opened }: EnginesRun,
  main?: CallEngine,
): Promise<unknown> {
  const sdk = await run.product.loadSdk();
  const sessions = await openSessions(sdk, platforms, options);
  try {
    opened();
    const { last } = options.output;
    const builders: Builder[] = sessions.map((session) => ({ ...session, output: last }));
    const own = main === undefined ? undefined : ((await main.client.defaultPlatform()) as string);
    if (main !== undefined && own !== undefined && !platforms.some(({ platform }) => platform === own))
      builders.push({ ...main, platform: own, address: main.name ?? "Dagger's engine" });
    const module = await loading;
    const built = await buildAll({ run, module, prepared }, builders);
    const assembler = main ?? builders[0];
    if (assembler === undefined) throw new Error("no engine");
    const places = builders.map(({ platform, address }) => `${platform} on ${address}`).join(", ");
    const kind = assembler.isLocal ? "local engine" : `Dagger engine ${await assembler.client.version()}`;
    return await callModule(
      run,
      module,
      prepared,
      { ...assembler, name: `${kind}: ${places}` },
      { values: { assemble: true }, host: { otherEngines: built } },
    );
  } finally {
    await closeAll(sessions);
  }
}

type Built = NonNullable<HostOptions["otherEngines"]>;
type OwnProof = Parameters<NonNullable<HostOptions["onProof"]>>[1];

/** @throws what is not one service's failure */
async function buildAll(
  { run, module, prepared }: { run: Run; module: LoadedModule; prepared: PreparedCall },
  builders: readonly Builder[],
): Promise<Built> {
  const proven = new Map<string, OwnProof>();
  const failures = new Map<string, Problem>();
  const buildVariant = run.product.moduleApi.functions.find(({ name }) => name === "buildVariant");
  if (buildVariant === undefined) throw new Error("the module has no function buildVariant");
  const results = await Promise.allSettled(
    builders.map(async (builder) => {
      const { platform, address } = builder;
      let report: Report | undefined;
      try {
        await callModule(run, module, prepared, builder, {
          function: buildVariant,
          values: { platform: [platform], format: "json" },
          host: {
            // Events of several calls at once: an id is unique in its own.
            progress: (event) => {
              run.display.onProgress({ ...event, id: `${platform} ${event.id}` });
            },
            onProof: (manifest, proof) => {
              const smoke = proof.smoke === undefined ? {} : { smoke: { ...proof.smoke, engine: address } };
              proven.set(manifest, { ...proof, ...smoke });
            },
            report: (made) => (report = made),
          },
        });
      } catch (error) {
        if (report === undefined) throw error;
        for (const [service, problem] of failuresOf(report, builder))
          if (!failures.has(service)) failures.set(service, problem);
      }
    }),
  );
  for (const result of results) if (result.status === "rejected") throw result.reason;
  return { proven, failures };
}

function failuresOf({ services }: Report, { platform, address }: Builder): [string, Problem][] {
  return services.flatMap(({ service, state, problems, registries }) => {
    const problem = [...problems, ...registries.flatMap((row) => row.problems)][0];
    if (state !== "failed" || problem === undefined) return [];
    return [[service, { ...problem, what: `${platform} on ${address}: ${problem.what}` }]];
  });
}
