/**
 * Everything CI does: formatting, lint, types, drift of generated files, unit tests, integration tests with real
 * registries and images, and the end-to-end tests of the product. Installs what it needs (Debian, root).
 *
 * The last line has the true totals: `N passed, N failed, N skipped`.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./root.mjs";

const started = Date.now();
const totals = { passed: 0, failed: 0, skipped: 0 };
const reports = await mkdtemp(join(tmpdir(), "tgo-test-"));

function run(command, args) {
  const child = spawn(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  process.once("SIGINT", () => child.kill("SIGINT"));
  return new Promise((resolve) => {
    child.once("error", () => resolve(127));
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

function title(text) {
  console.log(`\n== ${text} [${Math.round((Date.now() - started) / 1000)} s]`);
}

/** A check that either holds or not. */
async function check(name, command, args) {
  title(name);
  const code = await run(command, args);
  totals[code === 0 ? "passed" : "failed"] += 1;
  console.log(code === 0 ? `ok: ${name}` : `FAILED: ${name} (exit code ${code})`);
  return code === 0;
}

/** A vitest project; its JSON report has the counts. */
async function tests(project) {
  title(`${project} tests`);
  const report = join(reports, `${project}.json`);
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const code = await run("npx", ["--no-install", "vitest", "run", "--project", project, ...reporters]);
  const counts = await readFile(report, "utf8").then(JSON.parse, () => undefined);
  totals.passed += counts?.numPassedTests ?? 0;
  totals.failed += counts?.numFailedTests ?? 0;
  totals.skipped += (counts?.numPendingTests ?? 0) + (counts?.numTodoTests ?? 0);
  // A file that does not even load, or a run that dies, counts no test: it is a failure all the same.
  const suites =
    counts?.testResults.filter(
      ({ status, assertionResults }) => status === "failed" && assertionResults.length === 0,
    ).length ?? 1;
  totals.failed += suites;
  if (code !== 0 && suites === 0 && (counts?.numFailedTests ?? 0) === 0) totals.failed += 1;
}

const only = process.argv.slice(2);
const wanted = (part) => only.length === 0 || only.includes(part);

if (wanted("static")) {
  await check("format", "npx", ["--no-install", "prettier", "--check", "--log-level", "warn", "."]);
  await check("lint", "npx", ["--no-install", "eslint", "."]);
  await check("types", "npx", ["--no-install", "tsc", "--noEmit"]);
  await check("generated files are what their sources make", "node", ["scripts/build.mjs", "--check"]);
}
if (wanted("unit")) await tests("unit");
if (wanted("integration") || wanted("e2e")) {
  const ready = await check("requirements", "npx", ["--no-install", "tsx", "scripts/requirements.ts"]);
  if (!ready) totals.failed += 1;
  if (ready && wanted("integration")) await tests("integration");
  if (ready && wanted("e2e")) await tests("e2e");
}

await rm(reports, { recursive: true, force: true });
console.log(`\nin ${Math.round((Date.now() - started) / 1000)} s`);
console.log(
  `${totals.passed} passed, ${totals.failed} failed${totals.skipped > 0 ? `, ${totals.skipped} skipped` : ""}`,
);
process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0;
