/**
 * Measures build times: one platform, both, rebuilds, an edit, and the services' own Dockerfiles. First prints what it
 * measures and how long that will take, at the end the tables, which it also writes to docs/background/.
 */
import { relative } from "node:path";
import type { Catalog, Platform } from "@tgo/catalog";
import { isTgoError, TgoError } from "@tgo/errors";
import { installRequirements, missingRequirements } from "@tgo/testing";
import { duration } from "@tgo/report";
import { startBases, type Bases } from "./src/bases.js";
import { bundleChild } from "./src/bundle.js";
import { Display, formatForecast } from "./src/display.js";
import { Forecast } from "./src/forecast.js";
import { describeKind, KINDS, unitOf } from "./src/kinds.js";
import { describeMachine, toolVersions } from "./src/machine.js";
import { measureUnit, type BenchContext } from "./src/measure.js";
import { Measurements } from "./src/measurements.js";
import { HELP, parseOptions, type Options } from "./src/options.js";
import { planUnits } from "./src/plan.js";
import { readEarlier, writeResults } from "./src/write-results.js";
import { renderText } from "./src/render.js";
import { secondsOf, type Results } from "./src/results.js";
import { findSamples, readCatalog, ROOT, type Sample } from "./src/samples.js";
import { createWorkFolder, removeFolder } from "./src/state.js";
import { publishBench } from "./publish.js";

const display = new Display(process.stdout);
const print = (text = ""): void => {
  display.print(text);
};

const COLD = {
  local: "an empty folder for the engine and its cache volumes, for every build",
  dagger: "the engine's cache pruned (engine.localCache.prune) before every build",
};

async function bench(options: Options, signal: AbortSignal): Promise<number> {
  const catalog = await readCatalog(options.catalog);
  const samples = findSamples(catalog, options.services, options.source);
  introduce(options, catalog, samples);
  await installMissing();
  const work = await createWorkFolder();
  let bases: Bases | undefined;
  try {
    const [program, started] = await Promise.all([
      bundleChild(),
      startBases(samples, platforms().native, print),
    ]);
    bases = started;
    const images = { ...catalog.mirrors.images, "docker.io": bases.registry.host };
    const results = await measureAll(options, samples, bases, {
      engine: options.engine,
      catalog: { ...catalog, registries: {}, mirrors: { ...catalog.mirrors, images } },
      caBundle: options.caBundle,
      buildArgs: options.buildArgs,
      ...platforms(),
      program,
      work,
      timeoutMs: options.timeoutMs,
      signal,
    });
    if (results.services.some(({ runs, failures }) => runs.length + failures.length > 0)) {
      print(`\n${renderText(results)}\n`);
    }
    if (signal.aborted) {
      print("Interrupted: nothing was written.");
      return 130;
    }
    await write(options, results);
    return results.services.some(({ failures }) => failures.length > 0) ? 1 : 0;
  } finally {
    await bases?.registry.stop();
    await removeFolder(work);
  }
}

function introduce(options: Options, catalog: Catalog, samples: readonly Sample[]): void {
  const { native, foreign } = platforms();
  print("Measures build times: wall-clock seconds until the images are in the engine's store.");
  print(`Services: ${samples.map(({ name }) => name).join(", ")}.`);
  const absent = Object.keys(catalog.services).filter((name) => !samples.some((each) => each.name === name));
  if (options.services.length === 0 && absent.length > 0) {
    print(`Without a source in ${relative(process.cwd(), options.source) || "."}: ${absent.join(", ")}.`);
  }
  print("Builds of each:");
  for (const kind of KINDS) {
    const rounds = options.rounds[unitOf(kind)];
    print(
      `  ${rounds === 0 ? " not" : `${String(rounds).padStart(2)} ×`} ${describeKind(kind, native, foreign)}`,
    );
  }
  print(`Cold: ${COLD[options.engine]}; base images come from a registry on this machine.`);
  if (options.engine === "dagger")
    print("This deletes the cache of Dagger's engine, cache volumes included.");
}

async function installMissing(): Promise<void> {
  const missing = await missingRequirements();
  if (missing.length === 0) return;
  print("Installing (Debian packages, as root):");
  for (const { tool, why } of missing) print(`  ${tool.padEnd(22)} ${why}`);
  await installRequirements({ log: print });
}

/** This machine's platform and the foreign one. */
function platforms(): { native: Platform; foreign: Platform } {
  return process.arch === "arm64"
    ? { native: "linux/arm64", foreign: "linux/amd64" }
    : { native: "linux/amd64", foreign: "linux/arm64" };
}

async function measureAll(
  options: Options,
  samples: readonly Sample[],
  bases: Bases,
  context: BenchContext,
): Promise<Results> {
  const began = new Date();
  const started = performance.now();
  const records = new Map(samples.map((sample) => [sample.name, new Measurements(sample)]));
  const units = planUnits(samples, options.rounds);
  const earlier = await readEarlier();
  const forecast = new Forecast(
    new Map(samples.map(({ name, service }) => [name, service.build.strategy])),
    (service, kind) => {
      const results = earlier?.services.find((each) => each.service === service);
      return results === undefined ? undefined : secondsOf(results, kind)?.median;
    },
  );
  const total = units.reduce((sum, { kinds }) => sum + kinds.length, 0);
  print(
    `${total} builds, ${formatForecast(forecast.secondsFor(units))} in all. Ctrl-C stops and cleans up.\n`,
  );
  let done = 0;
  for (const [index, unit] of units.entries()) {
    if (context.signal.aborted) break;
    const sample = samples.find(({ name }) => name === unit.service);
    const record = records.get(unit.service);
    if (sample === undefined || record === undefined) continue;
    const position = (): string => `[${String(done + 1).padStart(String(total).length)}/${total}]`;
    const remaining = (): number => forecast.secondsFor(units.slice(index + 1));
    display.start(
      `${position()} round ${unit.round}  ${unit.service}  ${describeKind(unit.kinds[0] ?? "one", context.native, context.foreign)}`,
      forecast.secondsFor(units.slice(index)),
    );
    await measureUnit(context, unit, { sample, record }, (kind, result) => {
      const label = `${position()} round ${unit.round}  ${unit.service.padEnd(longest(samples))}  ${describeKind(kind, context.native, context.foreign)}`;
      if (typeof result === "string") {
        print(`${label}: FAILED: ${(result.trim().split("\n", 1)[0] ?? "").slice(0, 160)}`);
      } else {
        forecast.record(unit.service, kind, result.seconds + (result.pushSeconds ?? 0));
        print(`${label}: ${duration(result.seconds * 1000)}  (${formatForecast(remaining())} left)`);
      }
      done += 1;
    });
  }
  const engines = [...records.values()].flatMap(({ engine }) => engine ?? []);
  return {
    date: began.toISOString(),
    command: ["npm run bench", ...commandLine(process.argv.slice(2))].join(" "),
    seconds: Math.round((performance.now() - started) / 1000),
    engine: engines[0] ?? options.engine,
    cold: COLD[options.engine],
    bases: bases.origin,
    native: context.native,
    foreign: context.foreign,
    rounds: options.rounds,
    machine: await describeMachine(),
    versions: await toolVersions(),
    services: [...records.values()].map((record) => record.results()),
  };
}

function longest(samples: readonly Sample[]): number {
  return Math.max(...samples.map(({ name }) => name.length));
}

function commandLine(args: readonly string[]): string[] {
  return args.length === 0 ? [] : ["--", ...args];
}

async function write({ output }: Options, results: Results): Promise<void> {
  if (output === undefined) {
    print("Nothing was written: these are partial results. Use --output DIR to write them.");
    return;
  }
  const written = await writeResults(output, results);
  print(`Written: ${written.map((file) => relative(ROOT, file)).join(", ")}`);
}

/** One Ctrl-C arrives several times: from the terminal, npm and tsx. */
const SAME_SIGNAL_MS = 1_000;

function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  let first = 0;
  const onSignal = (): void => {
    if (first === 0) {
      first = performance.now();
      controller.abort();
      print("Stopping the build and cleaning up. Press Ctrl-C again to exit at once.");
    } else if (performance.now() - first > SAME_SIGNAL_MS) process.exit(130);
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return controller.signal;
}

async function main(args: readonly string[]): Promise<number> {
  if (args[0] === "publish") return publishBench(args.slice(1), interruptSignal(), print);
  const options = parseOptions(args, process.env);
  if (options === undefined) {
    print(HELP);
    return 0;
  }
  return bench(options, interruptSignal());
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exit(code);
  },
  (error: unknown) => {
    process.stderr.write(
      `${isTgoError(error) ? error.message : error instanceof Error ? (error.stack ?? "") : String(error)}\n`,
    );
    process.exit(error instanceof TgoError && error.code === "USAGE" ? 2 : 1);
  },
);
