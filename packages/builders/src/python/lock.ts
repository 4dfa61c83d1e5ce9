import type { Container, Directory } from "@dagger.io/dagger";
import type { PythonBuild } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { bare } from "../source/load-source.js";
import type { BuildRequest } from "../build-request.js";
import { programError } from "./problem.js";
import { requireHashed } from "./requirements.js";
import { run, withPoetry, withProgram } from "./tools.js";

/** Which tool writes a lock again. */
const LOCKERS: Readonly<Record<string, string>> = {
  "poetry.lock": "poetry lock",
  "uv.lock": "uv lock",
  "requirements.txt": "uv pip compile --generate-hashes",
};

/**
 * The lock of a service: the one its definition names, or the first there is. Without a lock an installer would
 * resolve from the index: other packages every day.
 * @throws TgoError SOURCE
 */
export function findLock(name: string, build: Pick<PythonBuild, "lock">, entries: readonly string[]): string {
  const present = new Set(entries.map(bare));
  const wanted = build.lock === undefined ? Object.keys(LOCKERS) : [build.lock];
  const found = wanted.find((file) => present.has(file));
  if (found !== undefined) return found;
  const [first = ""] = wanted;
  const command = LOCKERS[first] ?? "uv pip compile --generate-hashes";
  throw new TgoError("SOURCE", `${name} has no ${wanted.join(", ").replace(/, ([^,]*)$/, " or $1")}`, {
    remedy: `Run ${command} in the service's folder and commit the file (check that .dockerignore keeps it).`,
  });
}

/**
 * The locked packages as one set of hashed requirements, after the lock was checked against its project.
 * A folder with requirements.txt and indexes.json, which hold nothing else of the source.
 * @throws TgoError SOURCE
 */
export async function lockedRequirements(
  request: BuildRequest<PythonBuild>,
  lock: string,
  tools: Container,
): Promise<Directory> {
  const { name, service, source } = request;
  const poetry = lock === "poetry.lock";
  let container = withProgram(poetry ? await withPoetry(request, tools) : tools, "lock").withWorkdir("/work");
  for (const file of [lock, "pyproject.toml"]) {
    if (source.entries.includes(file)) container = container.withFile(file, source.directory.file(file));
  }
  const args = [lock, "/out", ...service.build.groups];
  try {
    return await container
      .withExec(run("lock", args, poetry ? "poetry" : "programs"))
      .directory("/out")
      .sync();
  } catch (error) {
    throw programError("reading the lock", name, error);
  }
}

/**
 * The lock of a service, checked as far as that needs no tools.
 * @throws TgoError SOURCE
 */
export async function requireLock({ name, service, source }: BuildRequest<PythonBuild>): Promise<string> {
  const lock = findLock(name, service.build, source.entries);
  if (lock.endsWith(".txt")) requireHashed(name, lock, await source.directory.file(lock).contents());
  return lock;
}
