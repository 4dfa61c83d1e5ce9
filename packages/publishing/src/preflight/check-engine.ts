import type { Platform as DaggerPlatform } from "@dagger.io/dagger";
import { execFailure, errorMessage, toolsContainer, withTimeLimit } from "@tgo/builders";
import type { Platform } from "@tgo/catalog";
import { innerCause, TgoError, problemOf, type Problem } from "@tgo/errors";
import type { Assembling } from "../publish/assembly.js";
import type { PublishContext } from "../targets/publish-context.js";
import type { CheckReport } from "@tgo/report";
import { checkOf } from "./check-lines.js";
import { diskProblem, freeBytes, GIGABYTE } from "./disk.js";
import { foreignProgram } from "./foreign-program.js";
import { problemsOf } from "./problems.js";

export interface EngineProblems {
  /** Nothing can be built until these are fixed. */
  readonly blocking: readonly Problem[];
  /** The build may succeed despite these. */
  readonly warnings: readonly Problem[];
  /** Each check with its result. */
  readonly checks: readonly CheckReport[];
}

/** Checks what every build needs from the engine: disk space and emulation. */
export async function checkEngine(
  context: PublishContext & Assembling,
  services: number,
): Promise<EngineProblems> {
  // Where images are assembled, other machines have run them.
  const foreign =
    context.assembly === undefined ? context.platforms.filter((platform) => platform !== context.native) : [];
  const [disk, ...emulation] = await Promise.all([
    checkDisk(context, services),
    ...foreign.map((platform) => problemsOf(() => checkEmulation(context, platform))),
  ]);
  const runs = foreign.map((platform, index) =>
    checkOf(`runs ${platform}`, emulation[index] ?? [], [`a program of ${platform} ran`]),
  );
  return {
    blocking: [...disk.blocking, ...emulation.flat()],
    warnings: disk.warnings,
    checks: [...disk.checks, ...runs],
  };
}

/** For a program that does nothing, on a busy machine. */
const EMULATOR_SECONDS = 120;

/** Changes with every run, so that the engine does not serve the step from its cache. */
const CHECKED_AT = "TGO_CHECKED_AT";

async function checkDisk(context: PublishContext, services: number): Promise<EngineProblems> {
  try {
    const tools = await toolsContainer(context);
    const output = await tools
      .withEnvVariable(CHECKED_AT, new Date().toISOString())
      .withExec(["df", "-Pk", "/"])
      .stdout();
    const free = freeBytes(output);
    const found = diskProblem(free, services, context.engine);
    const left = free === undefined ? "unknown" : `${(free / GIGABYTE).toFixed(1)} GB left`;
    if (found === undefined)
      return {
        blocking: [],
        warnings: [],
        checks: [checkOf("disk", [], [`${left}, up to ${services} GB needed`])],
      };
    const { blocks, ...problem } = found;
    const checks = [checkOf("disk", [problem], [])];
    return blocks
      ? { blocking: [problem], warnings: [], checks }
      : { blocking: [], warnings: [problem], checks };
  } catch (error) {
    const problem = problemOf(error);
    return { blocking: [problem], warnings: [], checks: [checkOf("disk", [problem], [])] };
  }
}

/** The last line of the kernel's or the emulator's output, else the engine's message. */
function reasonOf(error: unknown): string {
  const output = execFailure(error)?.stderr.trim().split("\n").at(-1) ?? "";
  return output === "" ? (errorMessage(error).split("\n")[0] ?? "") : output;
}

/** Runs a program of the platform in an otherwise empty image, so no base image of that platform is pulled. */
async function checkEmulation(context: PublishContext, platform: Platform): Promise<void> {
  const path = "/tgo-probe";
  const write = `require("fs").writeFileSync("${path}", Buffer.from(process.argv[1], "base64"))`;
  const program = (await toolsContainer(context))
    .withExec(["node", "-e", write, foreignProgram(platform).toString("base64")])
    .file(path);
  try {
    const run = context.client
      .container({ platform: platform as string as DaggerPlatform })
      .withFile(path, program, { permissions: 0o755 })
      .withEnvVariable(CHECKED_AT, new Date().toISOString())
      .withExec([path])
      .sync();
    await withTimeLimit(run, EMULATOR_SECONDS, () => new Error(`its emulator hangs: ${EMULATOR_SECONDS} s`));
  } catch (error) {
    const inner = innerCause(error);
    if (inner !== undefined) throw inner;
    throw new TgoError("ENVIRONMENT", `the engine cannot run ${platform} programs: ${reasonOf(error)}`, {
      where: context.engine,
      remedy:
        "Every variant is run before it is published. Install emulation for this platform on the engine's machine, " +
        "with Docker or from Debian's packages.\ndocker run --privileged --rm tonistiigi/binfmt --install all\n" +
        "apt-get install -y qemu-user-static binfmt-support",
      cause: error,
    });
  }
}
