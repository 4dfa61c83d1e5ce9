/**
 * How long building takes: one platform, both, again, after an edit, and by the services' own Dockerfiles. Says what
 * it measures and how long that will take, then prints the tables and writes them to docs/.
 */
import { relative } from "node:path";
import type { Catalog, Platform } from "@tgo/catalog";
import { isTgoError, TgoError } from "@tgo/errors";
import { installRequirements, missingRequirements } from "@tgo/testing";
import { duration } from "@tgo/report";
import { startBases, type Bases } from "./src/bases.js";
import { bundleChild } from "./src/bundle.js";
import { about, Display } from "./src/display.js";
import { Forecast } from "./src/estimate.js";
import { describeKind, KINDS, unitOf } from "./src/kinds.js";
import { machineFacts, toolVersions } from "./src/machine.js";
import { measureUnit, type Laboratory } from "./src/measure.js";
import { Measurements } from "./src/measurements.js";
import { HELP, parseOptions, type Options } from "./src/options.js";
import { planUnits } from "./src/plan.js";
import { readEarlier, writeResults } from "./src/publish.js";
import { renderText } from "./src/render.js";
import { secondsOf, type Results } from "./src/results.js";
import { findSamples, readCatalog, ROOT, type Sample } from "./src/samples.js";
import { createWorkFolder, removeFolder } from "./src/state.js";

const display = new Display(process.stdout);
const say = (text = ""): void => {
  display.say(text);
};

const COLD = {
  buildah: "an empty folder for the engine, its cache volumes and buildah's own store, for every build",
  dagger: "everything the engine could release is thrown away (engine.localCache.prune) before every build",
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
      startBases(samples, platforms().native, say),
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
      say(`\n${renderText(results)}\n`);
    }
    if (signal.aborted) {
      say("Interrupted: nothing is written.");
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
  say(
    "How long building takes, in seconds of wall-clock time, until the images stand in the engine's store.",
  );
  say(`Services: ${samples.map(({ name }) => name).join(", ")}.`);
  const absent = Object.keys(catalog.services).filter((name) => !samples.some((each) => each.name === name));
  if (options.services.length === 0 && absent.length > 0) {
    say(`No source in ${relative(process.cwd(), options.source) || "."}: ${absent.join(", ")}.`);
  }
  say("Measured of each:");
  for (const kind of KINDS) {
    const rounds = options.rounds[unitOf(kind)];
    say(
      `  ${rounds === 0 ? " not" : `${String(rounds).padStart(2)} ×`} ${describeKind(kind, native, foreign)}`,
    );
  }
  say(`Cold: ${COLD[options.engine]}; base images come from a registry of this machine.`);
  if (options.engine === "dagger")
    say("The cache of Dagger's engine is lost by this, cache volumes included.");
}

async function installMissing(): Promise<void> {
  const missing = await missingRequirements();
  if (missing.length === 0) return;
  say("Will be installed or set up (Debian packages, as root):");
  for (const { tool, why } of missing) say(`  ${tool.padEnd(22)} ${why}`);
  await installRequirements({ log: say });
}

/** This machine's platform, and the other one. */
function platforms(): { native: Platform; foreign: Platform } {
  return process.arch === "arm64"
    ? { native: "linux/arm64", foreign: "linux/amd64" }
    : { native: "linux/amd64", foreign: "linux/arm64" };
}

async function measureAll(
  options: Options,
  samples: readonly Sample[],
  bases: Bases,
  lab: Laboratory,
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
  say(`${total} builds, ${about(forecast.secondsFor(units))} in all. Ctrl-C ends it and cleans up.\n`);
  let done = 0;
  for (const [index, unit] of units.entries()) {
    if (lab.signal.aborted) break;
    const sample = samples.find(({ name }) => name === unit.service);
    const record = records.get(unit.service);
    if (sample === undefined || record === undefined) continue;
    const position = (): string => `[${String(done + 1).padStart(String(total).length)}/${total}]`;
    const remaining = (): number => forecast.secondsFor(units.slice(index + 1));
    display.begin(
      `${position()} round ${unit.round}  ${unit.service}  ${describeKind(unit.kinds[0] ?? "one", lab.native, lab.foreign)}`,
      forecast.secondsFor(units.slice(index)),
    );
    await measureUnit(lab, unit, { sample, record }, (kind, result) => {
      const what = `${position()} round ${unit.round}  ${unit.service.padEnd(longest(samples))}  ${describeKind(kind, lab.native, lab.foreign)}`;
      if (typeof result === "string") {
        say(`${what}: FAILED: ${(result.trim().split("\n", 1)[0] ?? "").slice(0, 160)}`);
      } else {
        forecast.saw(unit.service, kind, result.seconds + (result.pushSeconds ?? 0));
        say(`${what}: ${duration(result.seconds * 1000)}  (${about(remaining())} left)`);
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
    native: lab.native,
    foreign: lab.foreign,
    rounds: options.rounds,
    machine: await machineFacts(),
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
    say("Nothing was written: only a part was measured. With --output DIR it is.");
    return;
  }
  const written = await writeResults(output, results);
  say(`Written: ${written.map((file) => relative(ROOT, file)).join(", ")}`);
}

/** One Ctrl-C arrives several times: the terminal's, and what npm and tsx pass on. */
const SAME_SIGNAL_MS = 1_000;

function watchInterruption(): AbortSignal {
  const controller = new AbortController();
  let first = 0;
  const onSignal = (): void => {
    if (first === 0) {
      first = performance.now();
      controller.abort();
      say(
        "Stopping: the build that runs is ended and what was written is removed. Once more to leave at once.",
      );
    } else if (performance.now() - first > SAME_SIGNAL_MS) process.exit(130);
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return controller.signal;
}

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args, process.env);
  if (options === undefined) {
    say(HELP);
    return 0;
  }
  return bench(options, watchInterruption());
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
