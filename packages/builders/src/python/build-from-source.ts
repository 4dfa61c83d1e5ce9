import type { Container, Directory } from "@dagger.io/dagger";
import type { Platform, PythonBuild } from "@tgo/catalog";
import { isTgoError, TgoError } from "@tgo/errors";
import type { BuildRequest, CompileMethod } from "../build-request.js";
import { MACHINES } from "../machines.js";
import { slug, type SourcePackage, type WheelPlan } from "./choose-wheels.js";
import { programError } from "./program-error.js";
import { programCommand, withProgram } from "./programs.js";
import backendVersions from "./tool-locks/backends.txt";
import { DOWNLOADS, mirrorOption, pythonToolsContainer } from "./tools-container.js";
import { combineToolchains, toolchain, withToolchain, type Toolchain } from "./toolchain.js";

/** Wheels built from source. */
export interface BuiltWheels {
  /** A platform as in file names, or "shared" for all platforms. */
  readonly set: string;
  readonly wheels: Directory;
}

export interface SourceBuilds {
  readonly built: readonly BuiltWheels[];
  readonly notes: readonly string[];
  /** How packages with compiled code were built, each by platform. */
  readonly methods: readonly { readonly platform: Platform; readonly method: CompileMethod }[];
}

/** The wheel of one package, with what build_wheel.py reports about it. */
interface Wheel {
  readonly wheels: Directory;
  readonly kind: "pure" | "compiled";
  /** Build backends that the package requires in another version than the pinned one. */
  readonly unpinned: readonly string[];
}

/**
 * Builds the packages without a wheel: pure Python once for all platforms, compiled code for each platform with a
 * native compiler, and under emulation only if that fails.
 * @throws TgoError BUILD naming the package and the platform
 */
export async function buildFromSource(
  request: BuildRequest<PythonBuild>,
  tools: Container,
  plan: WheelPlan,
  platforms: readonly Platform[],
): Promise<SourceBuilds> {
  const platformsOf = (source: SourcePackage): Platform[] =>
    platforms.filter((platform) => source.platforms.includes(slug(platform)));
  const compiling = plan.sources.filter(({ languages }) => languages.length > 0);
  const compiledFor = (source: SourcePackage): Platform[] =>
    platformsOf(source).filter((platform) => isCompiledHere(request, platform));
  const chains = toolchains(request, compiling, [...new Set(compiling.flatMap(compiledFor))]);
  const parts = await Promise.all(
    plan.sources.map((source) => {
      const builder = { request, plan, source, tools, chains };
      return source.languages.length === 0
        ? buildPure(builder, platformsOf(source), platforms)
        : buildCompiled(builder, compiledFor(source));
    }),
  );
  return {
    built: parts.flatMap(({ built }) => built),
    notes: parts.flatMap(({ notes }) => notes),
    methods: parts.flatMap(({ methods }) => methods),
  };
}

/** A platform that is built elsewhere compiles its packages there; data commands need the engine's own. */
function isCompiledHere({ context, only, service }: BuildRequest<PythonBuild>, platform: Platform): boolean {
  if (only === undefined || platform === only) return true;
  return platform === context.native && service.build.data.length > 0;
}

/** How the packages of a platform that is built alone were compiled; of several ways the least native one. */
export function compileMethod(
  { only }: Pick<BuildRequest, "only">,
  methods: SourceBuilds["methods"],
): CompileMethod | undefined {
  const own = methods.filter(({ platform }) => platform === only).map(({ method }) => method);
  const order: readonly CompileMethod[] = ["under emulation", "cross-compiled", "natively"];
  return order.find((method) => own.includes(method));
}

/** All packages and platforms share one container, so that common compiler packages are downloaded once. */
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
  readonly plan: WheelPlan;
  readonly source: SourcePackage;
  readonly tools: Container;
  /** Toolchains on the engine's own platform, one for each target platform. */
  readonly chains: readonly Toolchain[];
}

async function buildPure(
  builder: Builder,
  targets: readonly Platform[],
  all: readonly Platform[],
): Promise<SourceBuilds> {
  const wheel = await build(builder, builder.tools, []);
  const sets = targets.length === all.length ? ["shared"] : targets.map(slug);
  return {
    built: sets.map((set) => ({ set, wheels: wheel.wheels })),
    notes: [
      `${title(builder.source)} has no wheel: built from source once (pure Python)${unpinnedNote([wheel])}`,
    ],
    methods: [],
  };
}

async function buildCompiled(builder: Builder, targets: readonly Platform[]): Promise<SourceBuilds> {
  if (targets.length === 0) return { built: [], notes: [], methods: [] };
  const results = await Promise.all(
    targets.map(async (platform) => ({ platform, ...(await compile(builder, platform)) })),
  );
  requireSameKind(builder.source, results);
  const methods = results.map(
    ({ platform, method, reason }) =>
      `${method} for ${platform}${reason === undefined ? "" : ` (${reason})`}`,
  );
  return {
    built: results.map(({ platform, wheel }) => ({ set: slug(platform), wheels: wheel.wheels })),
    notes: [
      `${title(builder.source)} has no wheel: built from source ${methods.join(", ")}${unpinnedNote(results.map(({ wheel }) => wheel))}` +
        (results.some(({ wheel }) => wheel.kind === "pure") ? "; it has no compiled code after all" : ""),
    ],
    methods: results.map(({ platform, method }) => ({ platform, method })),
  };
}

/** Many packages silently fall back to slow Python code if their extension does not compile. */
function requireSameKind(
  source: SourcePackage,
  results: readonly { readonly platform: Platform; readonly wheel: Wheel }[],
): void {
  const without = results.filter(({ wheel }) => wheel.kind === "pure").map(({ platform }) => platform);
  if (without.length === 0 || without.length === results.length) return;
  throw new TgoError(
    "BUILD",
    `${title(source)} was built without its compiled extension for ${without.join(", ")}, but with it for other platforms`,
    { remedy: "Add the Debian packages that its extension needs to build.buildPackages of the service." },
  );
}

/** Compiles natively; if that fails, in the target's own image under emulation. */
async function compile(
  builder: Builder,
  platform: Platform,
): Promise<{ wheel: Wheel; method: CompileMethod; reason?: string }> {
  const chain = builder.chains.find(({ target }) => target === platform);
  if (chain === undefined) throw new TgoError("INTERNAL", `no toolchain for ${platform}`);
  const native = (): Promise<Wheel> => buildWith(builder, builder.tools, chain);
  if (chain.prefix === "") return { wheel: await native(), method: "natively" };
  try {
    return { wheel: await native(), method: "cross-compiled" };
  } catch (error) {
    if (!isTgoError(error) || error.code !== "BUILD") throw error;
    return {
      wheel: await compileEmulated(builder, platform, error),
      method: "under emulation",
      reason: "it does not cross-compile",
    };
  }
}

async function compileEmulated(
  builder: Builder,
  platform: Platform,
  crossCompiling: TgoError,
): Promise<Wheel> {
  const { request, source } = builder;
  const own = toolchain(platform, platform, source.languages, request.service.build.buildPackages);
  try {
    const tools = withSingleThread(await pythonToolsContainer(request, platform));
    return await retryEmulatorCrash(() => buildWith(builder, tools, own));
  } catch (error) {
    if (!isTgoError(error) || error.code !== "BUILD") throw error;
    throw new TgoError(
      "BUILD",
      `${title(source)} has no wheel for ${platform} and cannot be built from source.\n` +
        `Cross-compiling: ${crossCompiling.what}\nUnder emulation: ${error.what}`,
      {
        remedy:
          "Add the Debian packages that it needs to build.buildPackages of the service, lock a version that has a " +
          "wheel, or build without that platform: --platform.",
        cause: error,
      },
    );
  }
}

/** QEMU's user mode occasionally aborts multithreaded programs, uv among them. */
function withSingleThread(tools: Container): Container {
  return tools
    .withEnvVariable("TOKIO_WORKER_THREADS", "1")
    .withEnvVariable("RAYON_NUM_THREADS", "1")
    .withEnvVariable("UV_CONCURRENT_BUILDS", "1")
    .withEnvVariable("UV_CONCURRENT_INSTALLS", "1");
}

const EMULATOR_TRIES = 3;

/** Retries after a crash of the emulator, which says nothing about the package. */
async function retryEmulatorCrash<T>(build: () => Promise<T>): Promise<T> {
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
  const out = withProgram(container, "build_wheel")
    .withNewFile("/run/tgo/constraints.txt", backendVersions)
    .withExec(
      programCommand("build_wheel", [
        ...["--archive", `${DOWNLOADS}/${source.sha256}/${source.file}`, "--name", title(source)],
        ...["--out", "/out", "--constraints", "/run/tgo/constraints.txt", "--indexes", plan.indexes],
        ...mirrorOption(request.context),
        ...args,
      ]),
    )
    .directory("/out");
  try {
    // The program is ours, from the same build: its output needs no schema.
    const report = JSON.parse(await out.file("built.json").contents()) as Omit<Wheel, "wheels">;
    return { ...report, wheels: out.directory("wheels") };
  } catch (error) {
    throw programError(`building ${title(source)} from source`, request.name, error);
  }
}

function title({ name, version }: SourcePackage): string {
  return `${name} ${version}`;
}

function unpinnedNote(wheels: readonly Wheel[]): string {
  const names = [...new Set(wheels.flatMap(({ unpinned }) => unpinned))];
  return names.length === 0 ? "" : `, with the newest ${names.join(", ")} that it allows`;
}
