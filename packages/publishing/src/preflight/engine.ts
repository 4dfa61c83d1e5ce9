import type { PublishContext } from "../targets/publish-context.js";
import type { Platform as DaggerPlatform } from "@dagger.io/dagger";
import type { Platform } from "@tgo/catalog";
import { isTgoError, TgoError, problemOf, type Problem } from "@tgo/errors";
import { execFailure, errorMessage, toolsContainer } from "@tgo/builders";
import { foreignProgram } from "./foreign-program.js";
import { problemsOf } from "./problems.js";

export interface EngineProblems {
  /** Nothing can be built with these. */
  readonly stopping: readonly Problem[];
  /** It may do all the same. */
  readonly told: readonly Problem[];
}

/** What the engine needs to build services, whatever they are. */
export async function checkEngine(context: PublishContext, services: number): Promise<EngineProblems> {
  const foreign = context.platforms.filter((platform) => platform !== context.native);
  const [space, ...emulation] = await Promise.all([
    checkDisk(context, services),
    ...foreign.map((platform) => problemsOf(() => checkEmulation(context, platform))),
  ]);
  return { stopping: [...space.stopping, ...emulation.flat()], told: space.told };
}

/** A cached answer would be of another day: this makes the step a new one. */
const ASKED_AT = "TGO_ASKED_AT";
const GIGABYTE = 1024 ** 3;

async function checkDisk(context: PublishContext, services: number): Promise<EngineProblems> {
  try {
    const tools = await toolsContainer(context);
    const output = await tools
      .withEnvVariable(ASKED_AT, new Date().toISOString())
      .withExec(["df", "-Pk", "/"])
      .stdout();
    const problem = diskProblem(freeBytes(output), services, context.engine);
    if (problem === undefined) return { stopping: [], told: [] };
    const { stops, ...told } = problem;
    return stops ? { stopping: [told], told: [] } : { stopping: [], told: [told] };
  } catch (error) {
    return { stopping: [problemOf(error)], told: [] };
  }
}

/** Of what `df -P -k` prints for one file system; undefined when that is something else. */
export function freeBytes(output: string): number | undefined {
  const available = Number(output.trim().split("\n").at(-1)?.split(/\s+/)[3]);
  return Number.isFinite(available) ? available * 1024 : undefined;
}

/**
 * A service with its tools and packages takes up to a gigabyte: the state of an engine that had built six services for
 * days was 9 GB. With less than one in all nothing is begun.
 */
export function diskProblem(
  free: number | undefined,
  services: number,
  engine: string,
): (Problem & { readonly stops: boolean }) | undefined {
  const wanted = services * GIGABYTE;
  if (free === undefined || free >= wanted) return undefined;
  const text = `${(free / GIGABYTE).toFixed(1)} GB`;
  return {
    code: "ENVIRONMENT",
    what: `the engine has ${text} of disk left`,
    where: engine,
    remedy: `Free some: to build ${services === 1 ? "a service" : `${services} services`} anew takes up to ${services} GB.`,
    stops: free < GIGABYTE,
  };
}

/** What the kernel or the emulator has said, else the engine: in one line. */
function reasonOf(error: unknown): string {
  const said = execFailure(error)?.stderr.trim().split("\n").at(-1) ?? "";
  return said === "" ? (errorMessage(error).split("\n")[0] ?? "") : said;
}

/** Runs a program of the platform in an image that holds nothing else: no base of that platform is pulled for it. */
async function checkEmulation(context: PublishContext, platform: Platform): Promise<void> {
  const path = "/tgo-probe";
  const write = `require("fs").writeFileSync("${path}", Buffer.from(process.argv[1], "base64"))`;
  const program = (await toolsContainer(context))
    .withExec(["node", "-e", write, foreignProgram(platform).toString("base64")])
    .file(path);
  try {
    await context.client
      .container({ platform: platform as string as DaggerPlatform })
      .withFile(path, program, { permissions: 0o755 })
      .withEnvVariable(ASKED_AT, new Date().toISOString())
      .withExec([path])
      .sync();
  } catch (error) {
    if (isTgoError(error)) throw error;
    throw new TgoError("ENVIRONMENT", `programs of ${platform} do not run here: ${reasonOf(error)}`, {
      where: context.engine,
      remedy:
        "Images of that platform are run before they are published. Let the engine's machine emulate it, with Docker " +
        "or by Debian's packages.\ndocker run --privileged --rm tonistiigi/binfmt --install all\n" +
        "apt-get install -y qemu-user-static binfmt-support",
      cause: error,
    });
  }
}
