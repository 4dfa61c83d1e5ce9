import { expect, it, vi } from "vitest";

/** As on a dead network mount: the call never ends. */
const { answer, stat } = vi.hoisted(() => {
  const answer: { reject?: (error: Error) => void } = {};
  const stat = () => new Promise((_, reject) => (answer.reject = reject));
  return { answer, stat };
});
vi.mock("node:fs/promises", () => ({ stat }));
const { hasUnfinishedReads, readInputFile } = await import("../src/read-file.js");

it("is left after the time limit, and known at the end, because its thread still waits", async () => {
  await expect(readInputFile("/mnt/file", { timeoutMs: 50 })).rejects.toThrow(
    "it could not be read within 0.05 s",
  );
  expect(hasUnfinishedReads()).toBe(true);
  answer.reject?.(new Error("stale file handle"));
  await expect.poll(hasUnfinishedReads).toBe(false);
});
