import { readFile, rm } from "node:fs/promises";
import { root } from "./root.mjs";

/** The JSON report of a package's tests: an output of its turbo task. */
export const reportOf = (folder, project) => `${folder}/.cache/reports/${project}.json`;

/** Forgets what an earlier run left; turbo restores the reports of tasks it has cached. */
export async function removeReports(folders) {
  await Promise.all(
    folders.map((folder) => rm(`${root}/${folder}/.cache/reports`, { recursive: true, force: true })),
  );
}

/** Counts of a report. One that is missing, or whose run died, is a failure. */
export async function countReport(folder, project, exitCode) {
  const report = await readFile(`${root}/${reportOf(folder, project)}`, "utf8").then(
    JSON.parse,
    () => undefined,
  );
  if (report === undefined) return { passed: 0, failed: 1, skipped: 0 };
  // A file that does not even load has no tests: it counts as one failure.
  const broken = report.testResults.filter(
    ({ status, assertionResults }) => status === "failed" && assertionResults.length === 0,
  ).length;
  const failed = report.numFailedTests + broken;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}
