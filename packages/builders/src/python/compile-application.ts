import type { Directory } from "@dagger.io/dagger";
import type { PythonBuild } from "@tgo/catalog";
import { baseImage } from "../build-context.js";
import { epochSeconds } from "../source/times.js";
import type { BuildRequest } from "../build-request.js";
import { programCommand, withProgram } from "./programs.js";

/**
 * Runs scripts/compile_application.py, which compiles the application to bytecode: at its path in the image, which
 * tracebacks show.
 */
export async function compileApplication(
  { context, service, source }: BuildRequest<PythonBuild>,
  workdir: string,
): Promise<Directory> {
  const native = await baseImage(context, service.build.base, context.native);
  const time = `${epochSeconds(source.modified)}`;
  return withProgram(native, "compile_application")
    .withDirectory(workdir, source.directory.filter({ exclude: service.build.exclude }))
    .withExec(programCommand("compile_application", [workdir, time], "base"))
    .directory(workdir);
}
