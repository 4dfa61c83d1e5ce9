import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterEach, expect, it } from "vitest";
import { countReport, reportOf } from "../reports.mjs";
import { root } from "../root.mjs";

const folders = [];
afterEach(() => Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true }))));

async function count(report, exitCode = 1) {
  const folder = await mkdtemp(join(tmpdir(), "report-"));
  folders.push(folder);
  if (report !== undefined) {
    const file = reportOf(folder, "unit");
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, JSON.stringify(report));
  }
  return countReport(relative(root, folder), "unit", exitCode);
}

const report = (files) => ({
  numPassedTests: 2,
  numPendingTests: 1,
  numTodoTests: 0,
  numFailedTests: files.flatMap((file) => file.assertionResults).filter(({ status }) => status === "failed")
    .length,
  testResults: files,
});

it("a failed test is named with its file and the first line of its message", async () => {
  const failed = {
    fullName: "release moves latest",
    status: "failed",
    failureMessages: ["\u001b[31mAssertionError: expected 1 to be 2\u001b[39m\n    at a.ts:1:2"],
  };
  expect(
    await count(
      report([
        { name: `${root}/e2e/a.test.ts`, status: "failed", message: "", assertionResults: [failed] },
        { name: `${root}/e2e/b.test.ts`, status: "failed", message: "no such module", assertionResults: [] },
        {
          name: `${root}/e2e/c.test.ts`,
          status: "failed",
          message: "no registry",
          assertionResults: [{ fullName: "never ran", status: "skipped", failureMessages: [] }],
        },
      ]),
    ),
  ).toEqual({
    passed: 2,
    failed: 3,
    skipped: 1,
    lines: [
      "e2e/b.test.ts: no such module",
      "e2e/c.test.ts: no registry",
      "e2e/a.test.ts > release moves latest: AssertionError: expected 1 to be 2",
    ],
  });
});

it("a run without a report, or that ended with an error of its own, has failed", async () => {
  expect(await count(undefined)).toMatchObject({ failed: 1 });
  expect(await count(report([]))).toMatchObject({ failed: 1, lines: [] });
  expect(await count(report([]), 0)).toMatchObject({ failed: 0 });
});
