import type { Container, Directory } from "@dagger.io/dagger";
import type { StaticWebBuild } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { execFailure, type ExecFailure } from "../exec-failure.js";
import { entryName } from "../source/entry-name.js";
import { buildError } from "../build-error.js";
import { LAYER_TIME, type BuildRequest } from "../build-request.js";
import { PROJECT } from "./install-packages.js";
import { scriptsAfterInstall } from "./package-json.js";
import type { ManagerName } from "./package-manager.js";
import type { Project } from "./read-project.js";

const RUN: Record<ManagerName, readonly string[]> = {
  yarn: ["yarn", "--silent", "run"],
  npm: ["npm", "--silent", "run"],
  pnpm: ["pnpm", "--silent", "run"],
};

/**
 * Builds the pages from the source, in a builder with the installed packages.
 * @throws TgoError BUILD with the end of the script's output, or if it wrote no pages
 */
export async function buildPages(
  request: BuildRequest<StaticWebBuild>,
  project: Project,
  builder: Container,
): Promise<Directory> {
  const { service, source, values } = request;
  let pages = builder
    .withDirectory(PROJECT, source.directory)
    // Tools that record a time use this one, so the pages are reproducible.
    .withEnvVariable("SOURCE_DATE_EPOCH", `${LAYER_TIME}`)
    // The packages are installed; the lock may differ because it was rewritten for a mirror.
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
  return outputOf(request, pages);
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
  // 137: killed. In a build only the kernel does that, if memory runs out.
  if (failure?.exitCode === 137 || /heap out of memory|SIGKILL|\bKilled\b/.test(printed)) {
    return "It ran out of memory: give the engine more memory, or set NODE_OPTIONS in the script.";
  }
  if (NO_NATIVE_PACKAGE.test(printed)) {
    return "The lock lacks a package for this platform: delete the lock and node_modules, install on Linux, and commit the new lock.";
  }
  return `Run ${command} in a fresh checkout of the service to reproduce the failure.`;
}

/** What tools with native packages (rollup, lightningcss, Tailwind) print if the one for this platform is missing. */
const NO_NATIVE_PACKAGE =
  /native binding|bug related to optional dependencies|Cannot find module ['"][^'"]*linux-/i;

async function outputOf(request: BuildRequest<StaticWebBuild>, built: Container): Promise<Directory> {
  const { name, service, source } = request;
  const { output: folder, script, singlePage } = service.build;
  const failure = (what: string, remedy: string): TgoError =>
    new TgoError("BUILD", what, { where: "build.output", remedy });
  if (!(await built.exists(`${PROJECT}/${folder}`))) {
    const before = new Set([...source.entries.map(entryName), "node_modules"]);
    const written = (await built.directory(PROJECT).entries())
      .map(entryName)
      .filter((entry) => !before.has(entry));
    throw failure(
      `the script "${script}" of ${name} did not create the folder ${folder}`,
      `Set build.output to the folder that it writes. It wrote: ${written.join(", ") || "nothing new"}.`,
    );
  }
  const pages = built.directory(folder);
  const entries = (await pages.entries()).map(entryName);
  if (entries.length === 0) {
    throw failure(
      `the script "${script}" of ${name} wrote nothing to the folder ${folder}`,
      "Check what the script does.",
    );
  }
  if (singlePage && !entries.includes("index.html")) {
    throw failure(
      `the folder ${folder} of ${name} has no index.html`,
      `Set build.output to the folder with index.html, or singlePage to false. Found: ${entries.slice(0, 12).join(", ")}.`,
    );
  }
  return pages;
}
