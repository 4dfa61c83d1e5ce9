/**
 * Everything CI checks: lint, imports, formatting, types, generated files, unit tests, integration tests with real
 * registries and images, and end-to-end tests of the product. Turbo runs the tasks and skips those whose inputs have
 * not changed. Integration and end-to-end tests install what they need (Debian, root); their packages run one at a time,
 * two files of a package at once.
 *
 * node scripts/test.mjs [lint] [types] [generated] [static] [unit] [integration] [e2e] [--force]
 *
 * `static` is the first three; no name is everything; --force runs what is cached too. The last line has the totals
 * of all tasks, cached or run: `N passed, N failed, N skipped`.
 */
import { spawn } from "node:child_process";
import { readdir, readFile, rm } from "node:fs/promises";
import { countReport, removeReports } from "./reports.mjs";
import { root, workspaces } from "./root.mjs";

const PARTS = {
  lint: ["//#check:lint", "//#check:imports", "//#check:format"],
  types: ["//#check:types"],
  generated: ["//#check:generated"],
  unit: ["test"],
  integration: ["integration"],
  e2e: ["e2e"],
};
const STATIC = ["lint", "types", "generated"];

/** Each phase is one run of turbo; what is timed or binds the machine's resources runs alone. */
const PHASES = [
  { title: "static checks and unit tests", parts: [...STATIC, "unit"], concurrency: 2 },
  { title: "integration tests", parts: ["integration"], concurrency: 1 },
  { title: "end-to-end tests", parts: ["e2e"], concurrency: 1 },
];

/** Tasks with a report, by the Vitest project they run. */
const PROJECTS = { test: "unit", integration: "integration", e2e: "e2e" };

/** All other tasks of one name are one check. */
const CHECKS = {
  "check:lint": "lint",
  "check:imports": "imports",
  "check:format": "format",
  "check:types": "types",
  "check:generated": "generated files match their sources",
  requirements: "requirements",
  bundle: "bundle",
};

const started = Date.now();
const totals = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
const seconds = () => Math.round((Date.now() - started) / 1000);

const args = process.argv.slice(2);
const force = args.includes("--force");
const names = args.filter((arg) => arg !== "--force");
const unknown = names.filter((name) => name !== "static" && !(name in PARTS));
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(", ")}; known: static, ${Object.keys(PARTS).join(", ")}, --force`);
  process.exit(2);
}
const wanted = (part) =>
  names.length === 0 || names.includes(part) || (names.includes("static") && STATIC.includes(part));

let interrupted = false;
await removeReports(workspaces());
for (const { title, parts, concurrency } of PHASES) {
  const tasks = parts.filter(wanted).flatMap((part) => PARTS[part]);
  if (tasks.length > 0 && !interrupted) await runPhase(title, tasks, concurrency);
}

if (interrupted) console.log("interrupted");
for (const failure of failures) console.log(`FAILED: ${failure}`);
console.log(`\nin ${seconds()} s`);
const { passed, failed, skipped } = totals;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

async function runPhase(title, tasks, concurrency) {
  console.log(`\n== ${title} [${seconds()} s]`);
  await rm(`${root}/.turbo/runs`, { recursive: true, force: true });
  const planned = await plan(tasks);
  const code = await turbo([
    ...tasks,
    `--concurrency=${concurrency}`,
    ...["--continue=dependencies-successful", "--summarize", "--ui=stream", "--output-logs=new-only"],
    ...["--log-order=stream", `--log-prefix=${concurrency === 1 ? "none" : "task"}`],
    `--cache=local:${force ? "w" : "rw"}`,
  ]);
  const ended = new Map((await summary()).map((task) => [task.taskId, task]));
  await count(
    title,
    planned.map((task) => ended.get(task.taskId) ?? task),
    code,
  );
}

/** Adds up what turbo ran and what it had cached. A task that did not run, for whatever reason, has failed. */
async function count(title, tasks, code) {
  const before = totals.failed;
  const checks = new Map();
  for (const { taskId, task, directory, execution } of tasks) {
    const exitCode = execution?.exitCode ?? 1;
    const project = PROJECTS[task];
    if (project === undefined) {
      const name = CHECKS[task] ?? task;
      checks.set(name, [...(checks.get(name) ?? []), ...(exitCode === 0 ? [] : [taskId])]);
      continue;
    }
    const counts = await countReport(directory, project, exitCode);
    for (const key of Object.keys(totals)) totals[key] += counts[key];
    if (counts.failed > 0) failures.push([`${taskId} (${counts.failed})`, ...counts.lines].join("\n  "));
  }
  for (const [name, failed] of checks) {
    totals[failed.length === 0 ? "passed" : "failed"] += 1;
    if (failed.length > 0) failures.push(`${name}: ${failed.join(", ")}`);
  }
  const cached = tasks.filter(
    ({ execution, cache }) => execution !== undefined && cache.status === "HIT",
  ).length;
  console.log(`${title}: ${tasks.length} tasks, ${cached} of them cached [${seconds()} s]`);
  if (code !== 0 && totals.failed === before) {
    totals.failed += 1;
    failures.push(`${title}: turbo ended with exit code ${code}`);
  }
}

/** The tasks that turbo is going to run or has cached. */
async function plan(tasks) {
  const output = [];
  const child = startTurbo([...tasks, "--dry=json"], ["ignore", "pipe", "inherit"]);
  child.stdout.on("data", (chunk) => output.push(chunk));
  await exitOf(child);
  return withCommand(JSON.parse(Buffer.concat(output).toString("utf8")));
}

/** The tasks that ran or were cached, with their exit codes. */
async function summary() {
  const folder = `${root}/.turbo/runs`;
  const [file] = await readdir(folder).catch(() => []);
  return file === undefined ? [] : withCommand(JSON.parse(await readFile(`${folder}/${file}`, "utf8")));
}

function withCommand({ tasks }) {
  return tasks.filter(({ command }) => command !== "<NONEXISTENT>");
}

function turbo(args) {
  const child = startTurbo(args, ["ignore", "inherit", "inherit"]);
  for (const signal of ["SIGINT", "SIGTERM"])
    process.once(signal, () => {
      interrupted = true;
      child.kill(signal);
    });
  return exitOf(child);
}

function startTurbo(args, stdio) {
  return spawn(`${root}/node_modules/.bin/turbo`, ["run", ...args], {
    cwd: root,
    stdio,
    env: {
      ...process.env,
      TGO_NODE_VERSION: `${process.version} ${process.platform} ${process.arch}`,
      TURBO_TELEMETRY_DISABLED: "1",
      TURBO_NO_UPDATE_NOTIFIER: "1",
    },
  });
}

function exitOf(child) {
  return new Promise((resolve) => {
    child.once("error", () => resolve(127));
    child.once("close", (code) => resolve(code ?? 1));
  });
}
