import type { Container, Directory } from "@dagger.io/dagger";
import type { Platform, PythonBuild } from "@tgo/catalog";
import { isTgoError, TgoError } from "@tgo/errors";
import type { BuildRequest } from "../build-request.js";
import { MACHINES, slug, type Plan, type SourcePackage } from "./plan.js";
import { programError } from "./problem.js";
import { DOWNLOADS, mirrorOption, run, withProgram, withTools } from "./tools.js";
import { BACKENDS } from "./tools/backends.js";
import { combineToolchains, toolchain, withToolchain, type Toolchain } from "./toolchain.js";

/** Wheels that were built here, for one platform or, as "shared", for all. */
export interface BuiltWheels {
  readonly set: string;
  readonly wheels: Directory;
}

export interface BuiltSources {
  readonly built: readonly BuiltWheels[];
  readonly notes: readonly string[];
}

/** What build.py tells of a wheel. */
interface Wheel {
  readonly wheels: Directory;
  readonly kind: "pure" | "compiled";
  /** Build backends the package wants in other versions than the pinned ones. */
  readonly unpinned: readonly string[];
}

type Way = "natively" | "cross-compiled" | "under emulation";

/**
 * Builds the packages that have no wheel: pure ones once for all platforms, compiled ones for each platform by a
 * native compiler, and only where that fails under emulation.
 * @throws TgoError BUILD naming the package and the platform
 */
export async function buildSources(
  request: BuildRequest<PythonBuild>,
  tools: Container,
  plan: Plan,
  platforms: readonly Platform[],
): Promise<BuiltSources> {
  const wantedBy = (source: SourcePackage): Platform[] =>
    platforms.filter((platform) => source.platforms.includes(slug(platform)));
  const compiling = plan.sources.filter(({ languages }) => languages.length > 0);
  const chains = toolchains(request, compiling, [...new Set(compiling.flatMap(wantedBy))]);
  const parts = await Promise.all(
    plan.sources.map((source) => {
      const builder = { request, plan, source, tools, chains };
      return source.languages.length === 0
        ? pure(builder, wantedBy(source), platforms)
        : compiled(builder, wantedBy(source));
    }),
  );
  return { built: parts.flatMap(({ built }) => built), notes: parts.flatMap(({ notes }) => notes) };
}

/** One container for all packages and platforms: what compilers share is fetched and unpacked once. */
function toolchains(
  { context, service }: BuildRequest<PythonBuild>,
  sources: readonly SourcePackage[],
  targets: readonly Platform[],
): Toolchain[] {
  const languages = sources.flatMap((source) => source.languages);
  return combineToolchains(
    targets.map((target) => toolchain(context.native, target, languages, service.build.buildPackages)),
  );
}

interface Builder {
  readonly request: BuildRequest<PythonBuild>;
  readonly plan: Plan;
  readonly source: SourcePackage;
  readonly tools: Container;
  /** Of the engine's own machine, for every platform that something is compiled for. */
  readonly chains: readonly Toolchain[];
}

async function pure(
  builder: Builder,
  wanted: readonly Platform[],
  all: readonly Platform[],
): Promise<BuiltSources> {
  const wheel = await build(builder, builder.tools, []);
  const sets = wanted.length === all.length ? ["shared"] : wanted.map(slug);
  return {
    built: sets.map((set) => ({ set, wheels: wheel.wheels })),
    notes: [`${title(builder.source)} has no wheel: built from source once (pure Python)${free([wheel])}`],
  };
}

async function compiled(builder: Builder, wanted: readonly Platform[]): Promise<BuiltSources> {
  const results = await Promise.all(
    wanted.map(async (platform) => ({ platform, ...(await compile(builder, platform)) })),
  );
  requireAlike(builder.source, results);
  const ways = results.map(
    ({ platform, way, because }) => `${way} for ${platform}${because === undefined ? "" : ` (${because})`}`,
  );
  return {
    built: results.map(({ platform, wheel }) => ({ set: slug(platform), wheels: wheel.wheels })),
    notes: [
      `${title(builder.source)} has no wheel: built from source ${ways.join(", ")}${free(results.map(({ wheel }) => wheel))}` +
        (results.some(({ wheel }) => wheel.kind === "pure") ? "; nothing of it was compiled" : ""),
    ],
  };
}

/** Many packages fall back to slow Python when their extension does not compile, and say nothing. */
function requireAlike(
  source: SourcePackage,
  results: readonly { readonly platform: Platform; readonly wheel: Wheel }[],
): void {
  const without = results.filter(({ wheel }) => wheel.kind === "pure").map(({ platform }) => platform);
  if (without.length === 0 || without.length === results.length) return;
  throw new TgoError(
    "BUILD",
    `${title(source)} was built without its compiled part for ${without.join(", ")}, and with it elsewhere`,
    { remedy: "Add what its extension needs to build.buildPackages of the service." },
  );
}

/** By a native compiler; failing that in the target's own image, emulated. */
async function compile(
  builder: Builder,
  platform: Platform,
): Promise<{ wheel: Wheel; way: Way; because?: string }> {
  const chain = builder.chains.find(({ target }) => target === platform);
  if (chain === undefined) throw new TgoError("INTERNAL", `no toolchain for ${platform}`);
  const native = (): Promise<Wheel> => buildWith(builder, builder.tools, chain);
  if (chain.prefix === "") return { wheel: await native(), way: "natively" };
  try {
    return { wheel: await native(), way: "cross-compiled" };
  } catch (error) {
    if (!isTgoError(error) || error.code !== "BUILD") throw error;
    return {
      wheel: await emulated(builder, platform, error),
      way: "under emulation",
      because: "it does not cross-compile",
    };
  }
}

async function emulated(builder: Builder, platform: Platform, first: TgoError): Promise<Wheel> {
  const { request, source } = builder;
  const own = toolchain(platform, platform, source.languages, request.service.build.buildPackages);
  try {
    const tools = oneThread(await withTools(request, platform));
    return await despiteEmulator(() => buildWith(builder, tools, own));
  } catch (error) {
    if (!isTgoError(error) || error.code !== "BUILD") throw error;
    throw new TgoError(
      "BUILD",
      `${title(source)} has no wheel for ${platform}, and cannot be built from source.\n` +
        `Cross-compiled: ${first.what}\nUnder emulation: ${error.what}`,
      {
        remedy:
          "Add what it needs to build.buildPackages of the service, lock a version that has a wheel, or build " +
          "without that platform: --platform.",
        cause: error,
      },
    );
  }
}

/** QEMU's user mode was seen to abort programs of many threads now and then, uv among them. */
function oneThread(tools: Container): Container {
  return tools
    .withEnvVariable("TOKIO_WORKER_THREADS", "1")
    .withEnvVariable("RAYON_NUM_THREADS", "1")
    .withEnvVariable("UV_CONCURRENT_BUILDS", "1")
    .withEnvVariable("UV_CONCURRENT_INSTALLS", "1");
}

const EMULATOR_TRIES = 3;

/** A crash of the emulator says nothing of the package. */
async function despiteEmulator<T>(build: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await build();
    } catch (error) {
      const crashed = isTgoError(error) && error.what.includes("qemu: uncaught target signal");
      if (!crashed || attempt === EMULATOR_TRIES) throw error;
    }
  }
}

async function buildWith(builder: Builder, tools: Container, chain: Toolchain): Promise<Wheel> {
  const { container, options } = await withToolchain(builder.request, tools, chain);
  return build(builder, container, ["--machine", MACHINES[chain.target], ...options]);
}

async function build(builder: Builder, container: Container, args: readonly string[]): Promise<Wheel> {
  const { request, plan, source } = builder;
  const out = withProgram(container, "build")
    .withNewFile("/run/tgo/constraints.txt", BACKENDS)
    .withExec(
      run("build", [
        ...["--archive", `${DOWNLOADS}/${source.sha256}/${source.file}`, "--name", title(source)],
        ...["--out", "/out", "--constraints", "/run/tgo/constraints.txt", "--indexes", plan.indexes],
        ...mirrorOption(request.context),
        ...args,
      ]),
    )
    .directory("/out");
  try {
    // The program is ours and of the same build: its output needs no schema.
    const told = JSON.parse(await out.file("built.json").contents()) as Omit<Wheel, "wheels">;
    return { ...told, wheels: out.directory("wheels") };
  } catch (error) {
    throw programError(`building ${title(source)} from source`, request.name, error);
  }
}

function title({ name, version }: SourcePackage): string {
  return `${name} ${version}`;
}

function free(wheels: readonly Wheel[]): string {
  const names = [...new Set(wheels.flatMap(({ unpinned }) => unpinned))];
  return names.length === 0 ? "" : `, with the newest ${names.join(", ")} it allows`;
}
