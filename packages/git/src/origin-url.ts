import { checkoutRoot } from "./checkout.js";
import type { GitRun } from "./git-run.js";
import { openRepository } from "./repository.js";
import { GitFailed, runGit } from "./run-git.js";

/**
 * The address of the remote "origin" of the checkout that a folder is in, as its configuration has it.
 * @returns undefined without a checkout or without that remote
 * @throws TgoError SOURCE if git cannot or must not read the repository
 */
export async function originUrl(options: GitRun & { readonly folder: string }): Promise<string | undefined> {
  const root = await checkoutRoot(options.folder);
  if (root === undefined) return undefined;
  const { settings, run } = await openRepository(root, options);
  try {
    const args = ["config", "--local", "--no-includes", "--get", "remote.origin.url"];
    return (await runGit(args, { folder: root, settings, run })).trim();
  } catch (error) {
    if (error instanceof GitFailed) return undefined;
    throw error;
  }
}
