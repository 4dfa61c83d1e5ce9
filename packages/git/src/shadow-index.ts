import { join } from "node:path";
import { shadowEnvironment, type Repository } from "./repository.js";
import { runGit } from "./run-git.js";

/** Calls git with the files of a tree in the index of {@link Repository.shadow}. */
export async function callShadow(
  repository: Repository,
  tree: string,
  args: readonly string[],
  input: string,
): Promise<string> {
  const options = {
    folder: repository.shadow,
    env: { ...shadowEnvironment(repository), GIT_INDEX_FILE: join(repository.shadow, "index") },
    run: repository.run,
  };
  await runGit(["read-tree", tree], options);
  return runGit(args, { ...options, input });
}
