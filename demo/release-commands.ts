import { readHead, TemporaryFolders } from "@tgo/git";

export interface ReleaseCommandOptions {
  /** This checkout; its commit is the samples' commit. */
  readonly root: string;
  readonly services: string;
  readonly source: readonly string[];
  /** Flags that select the demo's registries. */
  readonly settings: readonly string[];
}

/** `tgo` commands for the demo's registries, ready to paste. */
export async function releaseCommands({
  root,
  services,
  source,
  settings,
}: ReleaseCommandOptions): Promise<string> {
  const tgo = (...args: readonly string[]): string =>
    `  ${["npx --no-install tgo", ...args, ...settings].join(" ")}`;
  const { revision, created } = await commitOf(root);
  const commit = ["--revision", revision, "--created", created];
  return [
    "Show what is released in each registry (a candidate is not):",
    tgo("status", "--service", services),
    "Release tgo-web 1.0.0 to all three: build it with its version, verify, write the tags 1.0.0, 1.0, 1 and latest.",
    "The samples are not a checkout of their own, so pass the commit:",
    tgo("release", "--service", "tgo-web", "--version", "1.0.0", ...source, ...commit),
    "Run it again: nothing is left to do. status then shows 1.0.0.",
  ].join("\n");
}

/** Without a commit: a placeholder revision and the present time. */
async function commitOf(root: string): Promise<{ revision: string; created: string }> {
  const folders = new TemporaryFolders();
  const present = `${new Date().toISOString().slice(0, 19)}Z`;
  try {
    const { revision, created = present } = await readHead({ folder: root, folders });
    return { revision, created };
  } catch {
    return { revision: "sample", created: present };
  } finally {
    await folders.remove();
  }
}
