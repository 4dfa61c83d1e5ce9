import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface NextOptions {
  /** This checkout: the samples are of its commit. */
  readonly root: string;
  readonly services: string;
  readonly source: readonly string[];
  /** The flags that lead to the demo's registries. */
  readonly settings: readonly string[];
}

/** This product's own commands on the demo's registries, ready to paste. */
export async function nextCommands({ root, services, source, settings }: NextOptions): Promise<string> {
  const tgo = (...args: readonly string[]): string =>
    `  ${["npx --no-install tgo", ...args, ...settings].join(" ")}`;
  const { revision, created } = await commitOf(root);
  const commit = ["--revision", revision, "--created", created];
  return [
    "What is out in each registry (candidates alone are not):",
    tgo("status", "--service", services),
    "tgo-web as 1.0.0, in all three: built anew with its version in it, verified, then the tags 1.0.0, 1.0, 1 and",
    "latest. The samples are no checkout of their own, so the commit is said by hand:",
    tgo("release", "--service", "tgo-web", "--version", "1.0.0", ...source, ...commit),
    "The same command again finds everything done; status then shows 1.0.0.",
  ].join("\n");
}

/** Of a copy without git: a revision that says so, and the time of now. */
async function commitOf(root: string): Promise<{ revision: string; created: string }> {
  try {
    const { stdout } = await run("git", ["-C", root, "log", "-1", "--format=%H %cI"]);
    const [revision = "", created = ""] = stdout.trim().split(" ");
    return { revision, created };
  } catch {
    return { revision: "sample", created: `${new Date().toISOString().slice(0, 19)}Z` };
  }
}
