import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * Builds the command again if a file that it was built of has changed since: sources that were edited, or another commit
 * that was checked out, never run stale code.
 * @param {URL} root the repository, with a slash
 * @param {URL} stamp dist/inputs.json: size, time and hash of each file by its path
 * @returns {string | undefined} why the command is stale and could not be built
 */
export function rebuildIfStale(root, stamp) {
  const inputs = JSON.parse(readFileSync(stamp, "utf8"));
  const touched = Object.keys(inputs).filter((path) => {
    const found = statSync(new URL(path, root), { throwIfNoEntry: false });
    return found === undefined || found.mtimeMs !== inputs[path].mtimeMs || found.size !== inputs[path].size;
  });
  if (touched.length === 0) return undefined;
  const changed = touched.filter((path) => hashOf(new URL(path, root)) !== inputs[path].sha256);
  if (changed.length === 0) {
    saveTimes(inputs, touched, root, stamp);
    return undefined;
  }
  const build = fileURLToPath(new URL("scripts/build.mjs", root));
  const { status, stderr } = spawnSync(process.execPath, [build, "cli"], {
    stdio: ["ignore", "ignore", "pipe"],
    encoding: "utf8",
  });
  if (status === 0) return undefined;
  const more = changed.length > 1 ? ` and ${changed.length - 1} more` : "";
  return `the command is older than ${changed[0]}${more}, and cannot be built again:\n${stderr.trim()}`;
}

function hashOf(file) {
  try {
    return createHash("sha256").update(readFileSync(file)).digest("hex");
  } catch {
    return undefined;
  }
}

/** So that the next start need not read files that only got a new time, as from git or a copy. */
function saveTimes(inputs, touched, root, stamp) {
  const times = touched.map((path) => [
    path,
    { ...inputs[path], mtimeMs: statSync(new URL(path, root)).mtimeMs },
  ]);
  try {
    const temporary = new URL(`.inputs.json.${process.pid}`, stamp);
    writeFileSync(temporary, JSON.stringify({ ...inputs, ...Object.fromEntries(times) }));
    renameSync(temporary, stamp);
  } catch {
    // Somebody else's checkout.
  }
}
