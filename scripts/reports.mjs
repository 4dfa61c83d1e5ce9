import { readFile, rm } from "node:fs/promises";
import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { root } from "./root.mjs";

/** The JSON report of a package's tests: an output of its turbo task. */
export const reportOf = (folder, project) => `${folder}/.cache/reports/${project}.json`;

/** Forgets what an earlier run left; turbo restores the reports of tasks it has cached. */
export async function removeReports(folders) {
  await Promise.all(
    folders.map((folder) => rm(`${root}/${folder}/.cache/reports`, { recursive: true, force: true })),
  );
}

/** Counts of a report, and a line for each failed test. A report that is missing, or whose run died, is a failure. */
export async function countReport(folder, project, exitCode) {
  const report = await readFile(`${root}/${reportOf(folder, project)}`, "utf8").then(
    JSON.parse,
    () => undefined,
  );
  if (report === undefined) return { passed: 0, failed: 1, skipped: 0, lines: ["no report"] };
  // A file that does not load, or whose set-up failed, has no failed test: it counts as one failure.
  const broken = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && !assertionResults.some((test) => test.status === "failed"),
  );
  const failed = report.numFailedTests + broken.length;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
    lines: [
      ...broken.map(({ name, message }) => `${relative(root, name)}: ${firstLine(message)}`),
      ...report.testResults.flatMap(({ name, assertionResults }) =>
        assertionResults
          .filter(({ status }) => status === "failed")
          .map(
            ({ fullName, failureMessages }) =>
              `${relative(root, name)} > ${fullName}: ${firstLine(failureMessages[0])}`,
          ),
      ),
    ],
  };
}

function firstLine(message = "") {
  return stripVTControlCharacters(message).trim().split("\n", 1)[0].slice(0, 500);
}
