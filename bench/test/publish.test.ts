import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TgoError } from "@tgo/errors";
import { expect, it } from "vitest";
import { merge, withRun } from "../src/publish/publish-file.js";
import { turnsOf } from "../src/publish/measure-publish.js";
import { parsePublishOptions } from "../src/publish/publish-options.js";
import type { MeasuredPublish } from "../src/publish/publish-results.js";
import { measureCommand, processorSeconds } from "../src/publish/measured-command.js";
import { type PublishRun, runPublish } from "../src/publish/publish-run.js";
import { publishTables } from "../src/publish/publish-tables.js";

it("processor time is that of the shell's children, user and system", () => {
  expect(processorSeconds("0m0.010s 0m0.020s\n1m2.500s 0m3.250s\n")).toBeCloseTo(65.75);
});

it("measures a command with all that it starts; one that fails is told with what it printed", async () => {
  const checkout = await mkdtemp(join(tmpdir(), "tgo-bench-"));
  const digest = `sha256:${"a".repeat(64)}`;
  const program = `const { spawnSync } = require("child_process");
    spawnSync("sh", ["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"]);
    console.log(JSON.stringify({ digest: "${digest}" }));
    if (process.argv.includes("--fail")) { console.error("no such flag"); process.exit(2); }`;
  await mkdir(join(checkout, "apps/tgo/bin"), { recursive: true });
  await writeFile(join(checkout, "apps/tgo/bin/tgo.js"), program);
  const run = (...args: string[]): Promise<PublishRun> =>
    runPublish({ checkout, args, env: process.env, timeoutMs: 60_000, signal: new AbortController().signal });
  const measured = await run();
  expect(measured.digest).toBe(digest);
  expect(measured.processorSeconds).toBeGreaterThan(0.05);
  await expect(run("--fail")).rejects.toThrow(/tgo publish ended with 2[^]*no such flag/);
  await rm(checkout, { recursive: true });
});

it("codes take turns: who was first is second in the next round", () => {
  expect([1, 2].map((round) => turnsOf(["before", "after"], round))).toEqual([
    ["before", "after"],
    ["after", "before"],
  ]);
});

const CONDITIONS = { commands: [], commits: {}, machine: "", date: "2026-11-29", engine: "local" } as const;

it("counts a process whose parent was killed before it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tgo-bench-"));
  const orphan = `i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; touch ${folder}/done`;
  await writeFile(join(folder, "orphan.sh"), orphan);
  await writeFile(join(folder, "parent.sh"), `bash ${folder}/orphan.sh & kill -9 $$`);
  const script = `bash ${folder}/parent.sh; while [ ! -e ${folder}/done ]; do sleep 0.1; done; sleep 0.2`;
  const measured = await measureCommand({
    ...{ argv: ["bash", "-c", script], cwd: "/", env: process.env, timeoutMs: 60_000 },
    signal: new AbortController().signal,
  });
  if (process.getuid?.() === 0) expect(measured.processorSeconds).toBeGreaterThan(0.1);
  await rm(folder, { recursive: true });
});

it("compares medians with what was before, and with the targets", () => {
  const run = (code: string, kind: MeasuredPublish["kind"], seconds: number): MeasuredPublish => ({
    service: "tgo-api",
    code,
    kind,
    ...{ commit: "", machine: "" },
    seconds,
    processorSeconds: seconds * 2,
  });
  const runs = [
    ...[40, 50, 30].map((seconds) => run("before", "one", seconds)),
    ...[20, 25, 30].map((seconds) => run("after", "one", seconds)),
    ...[50, 48, 90].map((seconds) => run("after", "both", seconds)),
    run("after", "edit", 10),
    run("after", "signed", 52),
    run("after", "dockerfile", 150),
  ];
  const [wall, processor, compared] = publishTables({ ...CONDITIONS, runs });
  expect(wall?.rows).toEqual([
    ["tgo-api", "before", "40.0 (30.0–50.0)", "–", "–", "–", "–", "–", "0"],
    ["tgo-api", "after", "25.0 (20.0–30.0)", "50.0 (48.0–90.0)", "–", "10.0", "52.0", "150.0", "3"],
  ]);
  expect(processor?.rows[1]?.[3]).toBe("100.0 (96.0–180.0)");
  expect(compared?.rows.map(([, value]) => value)).toEqual([
    "1.25 × (≤ 1.35)",
    "2.00 × (≤ 1.50 MISSED)",
    "1.25 × (≤ 1.60)",
    "3.00 × (≥ 3.30 MISSED)",
    "0.20 × (≤ 0.40)",
    "1.04 × (≤ 1.05)",
  ]);
});

it("keeps what was measured earlier of other services and kinds, and replaces another commit's", () => {
  const run = (
    service: string,
    kind: MeasuredPublish["kind"],
    commit: string,
    machine = "m",
  ): MeasuredPublish => ({
    ...{ service, code: "after", kind, commit, machine, seconds: commit.length, processorSeconds: 1 },
  });
  const old = [run("tgo-api", "both", "a"), run("tgo-api", "edit", "a"), run("tgo-rag", "both", "a")];
  const known = { ...CONDITIONS, commands: ["first"], runs: old };
  const added = {
    ...{ ...CONDITIONS, commands: ["second"] },
    runs: [run("tgo-api", "both", "bb"), run("tgo-ai", "both", "bb"), run("tgo-api", "both", "bb")],
  };
  const merged = merge(known, added);
  expect(merged.runs.map(({ service, kind, commit }) => [service, kind, commit].join(" "))).toEqual([
    ...["tgo-api edit a", "tgo-rag both a", "tgo-api both bb", "tgo-ai both bb", "tgo-api both bb"],
  ]);
  expect(merged.commands).toEqual(["first", "second"]);
  // Written twice from one file, nothing counts twice.
  expect(merge(merged, added).runs).toHaveLength(5);
  expect(withRun(merged, run("tgo-ai", "both", "bb")).runs).toHaveLength(6);
  // Another machine's seconds stand in no row with this one's.
  const elsewhere = withRun(merged, run("tgo-api", "one", "bb", "other"));
  expect(elsewhere.runs.map(({ service, machine }) => `${service} ${machine}`)).toEqual([
    ...["tgo-rag m", "tgo-ai m", "tgo-api other"],
  ]);
});

it("refuses unknown kinds and folders that are no checkout", () => {
  expect(parsePublishOptions(["--kinds", "one,both"], {})).toMatchObject({
    kinds: ["one", "both"],
    rounds: 3,
  });
  expect(() => parsePublishOptions(["--kinds", "two"], {})).toThrow(TgoError);
  expect(() => parsePublishOptions(["--before", "/usr"], {})).toThrow(/not a checkout/);
  expect(() => parsePublishOptions(["--write", "--engine", "dagger"], {})).toThrow(/local engine/);
  expect(parsePublishOptions(["--help"], {})).toBeUndefined();
});
