/**
 * node ../../scripts/vitest.mjs unit|integration|e2e
 *
 * Runs the tests of the package in the current folder. The JSON report is the output of the turbo task, so that
 * scripts/test.mjs knows the totals of cached tasks too.
 */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, statfs, symlink } from "node:fs/promises";
import { homedir } from "node:os";
import { join, relative } from "node:path";
import { reportOf } from "./reports.mjs";
import { root } from "./root.mjs";

const [project] = process.argv.slice(2);
const folder = relative(root, process.cwd());
const report = `${root}/${reportOf(folder, project)}`;
await rm(report, { force: true });

const scratch = project === "unit" ? undefined : await ramDisk();
const vitest = spawn(
  process.execPath,
  [
    "node_modules/vitest/vitest.mjs",
    ...["run", "--project", project, `${folder}/`],
    ...["--reporter=default", "--reporter=json", `--outputFile.json=${report}`],
  ],
  {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    env:
      scratch === undefined
        ? process.env
        : { ...process.env, TMPDIR: scratch, XDG_CACHE_HOME: await cacheIn(scratch) },
  },
);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => vitest.kill(signal));
vitest.once("exit", (code) => {
  process.exitCode = code ?? 1;
  if (scratch !== undefined) void rm(scratch, { recursive: true, force: true });
});

/** A cache for engines that the tests start, with the user's stand-in base images. */
async function cacheIn(folder) {
  const bases = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "tgo", "bases");
  const cache = join(folder, "cache");
  await mkdir(bases, { recursive: true });
  await mkdir(join(cache, "tgo"), { recursive: true });
  await symlink(bases, join(cache, "tgo", "bases"));
  return cache;
}

/**
 * A folder in memory for registries and engines, which wait for the disk after each blob and layer. Undefined where
 * there are fewer than 8 GiB: the tests then use TMPDIR or /tmp as it is.
 */
async function ramDisk() {
  const { bavail, bsize } = await statfs("/dev/shm").catch(() => ({ bavail: 0, bsize: 0 }));
  return bavail * bsize < 8 * 2 ** 30 ? undefined : mkdtemp("/dev/shm/tgo-tests-");
}
