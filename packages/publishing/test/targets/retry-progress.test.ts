import { expect, test } from "vitest";
import { formatEvent, Progress } from "@tgo/progress";
import { retryProgress } from "../../src/targets/retry-progress.js";

test("long waits for a registry are told, those of many requests once, short ones not", () => {
  const lines: string[] = [];
  let time = 0;
  const tell = retryProgress(new Progress((event) => lines.push(formatEvent(event))), "ghcr", () => time);
  const retry = {
    host: "ghcr.io",
    action: "push the manifest",
    attempt: 1,
    reason: "the registry's rate limit",
  };
  tell({ ...retry, waitMs: 900 });
  expect(lines).toEqual([]);
  tell({ ...retry, waitMs: 60_200 });
  tell({ ...retry, waitMs: 60_900 });
  time += 30_000;
  tell({ ...retry, waitMs: 20_000 });
  time += 31_000;
  tell({ ...retry, waitMs: 60_000, action: "read the manifest" });
  expect(lines).toEqual([
    "ghcr wait note: push the manifest: the registry's rate limit; again in 60 s",
    "ghcr wait note: read the manifest: the registry's rate limit; again in 60 s",
  ]);
});
