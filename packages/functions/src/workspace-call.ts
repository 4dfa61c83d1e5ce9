import type { Directory, Workspace } from "@dagger.io/dagger";
import type { Call } from "./call.js";
import type { Options } from "./options.js";

/** Files at the root of a repository that say what is shipped, and the folder with the sources. */
const CATALOG = "tgo.catalog.json";
export const BASE_LOCK = "tgo.bases.json";
const REPOS = "repos";

/** What a check reads of the repository that it was called from. */
export interface WorkspaceCall extends Call {
  readonly root: Directory;
  /** Names of the folders in `repos`. */
  readonly sources: readonly string[];
}

/** A call with the catalog, the base lock and the sources of the caller's repository, where the constructor got none. */
export async function workspaceCall(call: Call, workspace: Workspace): Promise<WorkspaceCall> {
  const root = workspace.directory("/", { include: [CATALOG, BASE_LOCK, REPOS] });
  const names = (await root.entries()).map(withoutSlash);
  const { catalog, baseLock, repos } = call.options;
  const has = (name: string): boolean => names.includes(name);
  const options: Options = {
    ...call.options,
    catalog: catalog ?? (has(CATALOG) ? root.file(CATALOG) : undefined),
    baseLock: baseLock ?? (has(BASE_LOCK) ? root.file(BASE_LOCK) : undefined),
    repos: has(REPOS) ? root : repos,
  };
  const sources = has(REPOS) ? (await root.entries({ path: REPOS })).map(withoutSlash) : [];
  return { ...call, options, root, sources };
}

/** Dagger's names of folders end with one. */
function withoutSlash(name: string): string {
  return name.replace(/\/$/, "");
}
