import type { Container, Directory } from "@dagger.io/dagger";
import type { PythonBuild } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { entryName } from "../source/entry-name.js";
import type { BuildRequest } from "../build-request.js";
import { MACHINES } from "../machines.js";
import { slug } from "./choose-wheels.js";
import { programError } from "./program-error.js";
import { programCommand, withProgram } from "./programs.js";
import { requireHashed } from "./require-hashes.js";
import { withPoetry } from "./tools-container.js";

/** The command that updates a lock. */
const LOCKERS: Readonly<Record<string, string>> = {
  "poetry.lock": "poetry lock",
  "uv.lock": "uv lock",
  "requirements.txt": "uv pip compile --generate-hashes",
};

/**
 * The lock of a service: the one its definition names, or the first that exists. Without a lock, an installer would
 * resolve versions from the index, and builds would not be reproducible.
 * @throws TgoError SOURCE
 */
export function findLock(name: string, build: Pick<PythonBuild, "lock">, entries: readonly string[]): string {
  const present = new Set(entries.map(entryName));
  const candidates = build.lock === undefined ? Object.keys(LOCKERS) : [build.lock];
  const found = candidates.find((file) => present.has(file));
  if (found !== undefined) return found;
  const [first = ""] = candidates;
  const command = LOCKERS[first] ?? "uv pip compile --generate-hashes";
  throw new TgoError("SOURCE", `${name} has no ${candidates.join(", ").replace(/, ([^,]*)$/, " or $1")}`, {
    remedy: `Run ${command} in the service's folder and commit the file (check that .dockerignore keeps it).`,
  });
}

/**
 * Checks the lock against its project, and exports its packages as hashed requirements.
 * @returns a directory with requirements.txt, indexes.json and lock.json, which depends on nothing else in the source
 * @throws TgoError SOURCE
 */
export async function lockedRequirements(
  request: BuildRequest<PythonBuild>,
  lock: string,
  tools: Container,
): Promise<Directory> {
  const { name, service, source } = request;
  const poetry = lock === "poetry.lock";
  let container = withProgram(poetry ? await withPoetry(request, tools) : tools, "read_lock").withWorkdir(
    "/work",
  );
  for (const file of [lock, "pyproject.toml"]) {
    if (source.entries.includes(file)) container = container.withFile(file, source.directory.file(file));
  }
  const machines = request.platforms.map((platform) => `${slug(platform)}=${MACHINES[platform]}`);
  const args = [lock, "/out", machines.join(","), ...service.build.groups];
  try {
    return await container
      .withExec(programCommand("read_lock", args, poetry ? "poetry" : "programs"))
      .directory("/out")
      .sync();
  } catch (error) {
    throw programError("reading the lock", name, error);
  }
}

/**
 * Finds the lock of a service, and checks it as far as that is possible without tools.
 * @throws TgoError SOURCE
 */
export async function requireLock({ name, service, source }: BuildRequest<PythonBuild>): Promise<string> {
  const lock = findLock(name, service.build, source.entries);
  if (lock.endsWith(".txt")) requireHashed(name, lock, await source.directory.file(lock).contents());
  return lock;
}
