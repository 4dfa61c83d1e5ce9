import { TgoError } from "@tgo/errors";
import type { StaticWebBuild } from "@tgo/catalog";
import { rangeChecker } from "../container-tools/container-tools.js";
import { entryName } from "../source/entry-name.js";
import type { BuildRequest } from "../build-request.js";
import { parsePackageJson, refuseWorkspaces, type PackageJson } from "./package-json.js";
import { requireNpmLocked } from "./npm-lock.js";
import { choosePackageManager, withVersion, type PackageManager } from "./package-manager.js";
import { parseYarnLock, requireLocked, type LockEntry } from "./yarn-lock.js";

/** A service's package.json and lock. */
export interface Project {
  readonly manifest: PackageJson;
  readonly manager: PackageManager;
  /** The lock's text. */
  readonly lock: string;
  /** The entries of a yarn.lock; undefined for the other managers, which install only locked packages. */
  readonly locked: readonly LockEntry[] | undefined;
}

/**
 * Reads package.json and the lock, and checks that they match.
 * @throws TgoError SOURCE
 */
export async function readProject(request: BuildRequest<StaticWebBuild>): Promise<Project> {
  const { context, name, source, service } = request;
  const present = new Set(source.entries.map(entryName));
  const read = (file: string): Promise<string> => source.directory.file(file).contents();
  const manifest = parsePackageJson(name, await read("package.json"));
  refuseWorkspaces(name, manifest, present.has(PNPM_SETTINGS) ? await read(PNPM_SETTINGS) : undefined);
  requireScript(name, manifest, service.build.script);
  const chosen = choosePackageManager(name, manifest, present);
  const lock = await read(chosen.lock);
  const manager = withVersion(name, chosen, lock);
  const locked = manager.name === "yarn" ? parseYarnLock(lock) : undefined;
  if (locked !== undefined) requireLocked(name, manifest, locked);
  if (manager.name === "npm") {
    const how = { checkRanges: rangeChecker(context), builder: context.native };
    await requireNpmLocked(name, manifest, lock, how);
  }
  return { manifest, manager, lock, locked };
}

const PNPM_SETTINGS = "pnpm-workspace.yaml";

function requireScript(service: string, { scripts }: PackageJson, script: string): void {
  if (script in scripts) return;
  throw new TgoError("SOURCE", `the package.json of ${service} has no script "${script}"`, {
    where: "build.script",
    remedy: `Set it to the script that builds the pages. Existing scripts: ${Object.keys(scripts).join(", ") || "none"}.`,
  });
}
