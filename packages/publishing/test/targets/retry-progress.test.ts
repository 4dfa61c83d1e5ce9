import { expect, test } from "vitest";
import { formatEvent, Progress } from "@tgo/progress";
import { retryProgress } from "../../src/targets/retry-progress.js";

test("reports long waits once for all requests of a registry, and no short ones", () => {
  const lines: string[] = [];
  let time = 0;
  const report = retryProgress(new Progress((event) => lines.push(formatEvent(event))), "ghcr", () => time);
  const retry = {
    host: "ghcr.io",
    action: "push the manifest",
    attempt: 1,
    reason: "the registry's rate limit",
  };
  report({ ...retry, waitMs: 900 });
  expect(lines).toEqual([]);
  report({ ...retry, waitMs: 60_200 });
  report({ ...retry, waitMs: 60_900 });
  time += 30_000;
  report({ ...retry, waitMs: 20_000 });
  time += 31_000;
  report({ ...retry, waitMs: 60_000, action: "read the manifest" });
  expect(lines).toEqual([
    "ghcr wait note: push the manifest: the registry's rate limit; retrying in 60 s",
    "ghcr wait note: read the manifest: the registry's rate limit; retrying in 60 s",
  ]);
});
