import type { Container } from "@dagger.io/dagger";
import buildWheelProgram from "./scripts/build_wheel.py";
import chooseWheelsProgram from "./scripts/choose_wheels.py";
import compileApplicationProgram from "./scripts/compile_application.py";
import downloadModule from "./scripts/download.py";
import installEnvironmentProgram from "./scripts/install_environment.py";
import layerModule from "./scripts/layer.py";
import lockFileModule from "./scripts/lock_file.py";
import lockPoetryModule from "./scripts/lock_poetry.py";
import lockUvModule from "./scripts/lock_uv.py";
import packageIndexModule from "./scripts/package_index.py";
import problemModule from "./scripts/problem.py";
import projectModule from "./scripts/project.py";
import readLockProgram from "./scripts/read_lock.py";
import sdistModule from "./scripts/sdist.py";
import { TOOLS } from "./tools-container.js";
import verifyWheelModule from "./scripts/verify_wheel.py";
import wheelTagsModule from "./scripts/wheel_tags.py";

/** Our Python programs that run in containers, each with the modules it imports. */
const PROGRAM_FILES = {
  build_wheel: {
    "build_wheel.py": buildWheelProgram,
    "package_index.py": packageIndexModule,
    "problem.py": problemModule,
    "sdist.py": sdistModule,
    "verify_wheel.py": verifyWheelModule,
  },
  choose_wheels: {
    "choose_wheels.py": chooseWheelsProgram,
    "download.py": downloadModule,
    "package_index.py": packageIndexModule,
    "problem.py": problemModule,
    "sdist.py": sdistModule,
    "wheel_tags.py": wheelTagsModule,
  },
  compile_application: { "compile_application.py": compileApplicationProgram, "layer.py": layerModule },
  install_environment: {
    "download.py": downloadModule,
    "install_environment.py": installEnvironmentProgram,
    "layer.py": layerModule,
    "problem.py": problemModule,
  },
  read_lock: {
    "lock_file.py": lockFileModule,
    "lock_poetry.py": lockPoetryModule,
    "lock_uv.py": lockUvModule,
    "problem.py": problemModule,
    "project.py": projectModule,
    "read_lock.py": readLockProgram,
    "wheel_tags.py": wheelTagsModule,
  },
} satisfies Record<string, Record<string, string>>;

export type Program = keyof typeof PROGRAM_FILES;

const PROGRAM_FOLDER = "/run/tgo/python";

/** A container with one of our programs in it. */
export function withProgram(container: Container, program: Program): Container {
  return Object.entries(PROGRAM_FILES[program]).reduce(
    (result, [file, text]) => result.withNewFile(`${PROGRAM_FOLDER}/${file}`, text),
    container,
  );
}

/**
 * The command line of a program.
 * @param interpreter the environment whose packages it imports; `base` for a program that imports none
 */
export function programCommand(
  program: Program,
  args: readonly string[],
  interpreter: "programs" | "poetry" | "base" = "programs",
): string[] {
  const python = interpreter === "base" ? "python3" : `${TOOLS}/${interpreter}/bin/python`;
  return [python, `${PROGRAM_FOLDER}/${program}.py`, ...args];
}
