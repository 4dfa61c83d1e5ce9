import type { Container, Directory } from "@dagger.io/dagger";
import type { StaticWebBuild } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { execFailure, type ExecFailure } from "../exec-failure.js";
import { bare } from "../source/load-source.js";
import { buildError } from "../build-error.js";
import { LAYER_TIME, type BuildRequest } from "../build-request.js";
import { PROJECT } from "./install.js";
import { scriptsAfterInstall } from "./manifest.js";
import type { ManagerName } from "./package-manager.js";
import type { Project } from "./project.js";

const RUN: Record<ManagerName, readonly string[]> = {
  yarn: ["yarn", "--silent", "run"],
  npm: ["npm", "--silent", "run"],
  pnpm: ["pnpm", "--silent", "run"],
};

/**
 * The pages, built from the source in a builder that has the packages.
 * @throws TgoError BUILD with the end of what the script printed, or when it left no pages
 */
export async function buildPages(
  request: BuildRequest<StaticWebBuild>,
  project: Project,
  builder: Container,
): Promise<Directory> {
  const { service, source, values } = request;
  let pages = builder
    .withDirectory(PROJECT, source.directory)
    // Tools that write a time write this one: the same pages whenever they are built.
    .withEnvVariable("SOURCE_DATE_EPOCH", `${LAYER_TIME}`)
    // The packages are there; the lock was rewritten for a mirror, perhaps.
    .withEnvVariable("pnpm_config_verify_deps_before_run", "false");
  for (const [variable, value] of Object.entries(values)) pages = pages.withEnvVariable(variable, value);
  for (const script of [...scriptsAfterInstall(project.manifest), service.build.script]) {
    pages = pages.withExec([...RUN[project.manager.name], script]);
  }
  try {
    pages = await pages.sync();
  } catch (error) {
    throw scriptFailure(request, project, error);
  }
  return output(request, pages);
}

function scriptFailure({ name }: BuildRequest, { manager }: Project, error: unknown): Error {
  const failure = execFailure(error);
  const script = failure?.cmd.at(-1) ?? "build";
  return buildError(
    `the script "${script}" of ${name}`,
    remedyFor(failure, `${manager.name} run ${script}`),
    error,
  );
}

function remedyFor(failure: ExecFailure | undefined, command: string): string {
  const printed = failure === undefined ? "" : `${failure.stdout}\n${failure.stderr}`;
  // 137: killed, which in a build only the kernel does, for want of memory.
  if (failure?.exitCode === 137 || /heap out of memory|SIGKILL|\bKilled\b/.test(printed)) {
    return "It ran out of memory: give the engine more, or set NODE_OPTIONS in the script.";
  }
  if (NO_NATIVE_PACKAGE.test(printed)) {
    return "The lock has no package for this platform: delete it and node_modules, install on Linux, and commit the new lock.";
  }
  return `Run ${command} in a fresh checkout of the service: what fails there fails here.`;
}

/** What tools with native parts (rollup, lightningcss, Tailwind) say without the one for this machine. */
const NO_NATIVE_PACKAGE =
  /native binding|bug related to optional dependencies|Cannot find module ['"][^'"]*linux-/i;

async function output(request: BuildRequest<StaticWebBuild>, built: Container): Promise<Directory> {
  const { name, service, source } = request;
  const { output: folder, script, singlePage } = service.build;
  const wrong = (what: string, remedy: string): TgoError =>
    new TgoError("BUILD", what, { where: "build.output", remedy });
  if (!(await built.exists(`${PROJECT}/${folder}`))) {
    const before = new Set([...source.entries.map(bare), "node_modules"]);
    const written = (await built.directory(PROJECT).entries())
      .map(bare)
      .filter((entry) => !before.has(entry));
    throw wrong(
      `the script "${script}" of ${name} left no folder ${folder}`,
      `Set build.output to the folder it writes. It wrote: ${written.join(", ") || "nothing new"}.`,
    );
  }
  const pages = built.directory(folder);
  const entries = (await pages.entries()).map(bare);
  if (entries.length === 0) {
    throw wrong(
      `the script "${script}" of ${name} left the folder ${folder} empty`,
      "Look at what the script does.",
    );
  }
  if (singlePage && !entries.includes("index.html")) {
    throw wrong(
      `the folder ${folder} of ${name} has no index.html`,
      `Set build.output to the folder with it, or singlePage to false. There: ${entries.slice(0, 12).join(", ")}.`,
    );
  }
  return pages;
}
