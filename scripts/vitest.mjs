/**
 * node ../../scripts/vitest.mjs unit|integration|e2e
 *
 * Runs the tests of the package in the current folder. The JSON report is the output of the turbo task, so that
 * scripts/test.mjs knows the totals of cached tasks too.
 */
import { spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { relative } from "node:path";
import { reportOf } from "./reports.mjs";
import { root } from "./root.mjs";

const [project] = process.argv.slice(2);
const folder = relative(root, process.cwd());
const report = `${root}/${reportOf(folder, project)}`;
await rm(report, { force: true });

const vitest = spawn(
  process.execPath,
  [
    "node_modules/vitest/vitest.mjs",
    ...["run", "--project", project, `${folder}/`],
    ...["--reporter=default", "--reporter=json", `--outputFile.json=${report}`],
  ],
  { cwd: root, stdio: ["ignore", "inherit", "inherit"] },
);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => vitest.kill(signal));
vitest.once("exit", (code) => {
  process.exitCode = code ?? 1;
});
