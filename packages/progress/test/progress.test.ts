import { describe, expect, it } from "vitest";
import { formatEvent, Progress, type ProgressEvent } from "../src/progress.js";

function recorder(signal?: AbortSignal): { events: ProgressEvent[]; progress: Progress } {
  const events: ProgressEvent[] = [];
  let clock = 0;
  return {
    events,
    progress: new Progress(
      (event) => events.push(event),
      () => (clock += 1500),
      signal,
    ),
  };
}

describe("formatEvent", () => {
  it.each([
    [4_700, "a build done (4.7 s)"],
    [65_000, "a build done (1 min 05 s)"],
  ])("shows %d ms as a report does", (durationMs, line) => {
    expect(formatEvent({ kind: "end", id: "1", step: "build", service: "a", durationMs })).toBe(line);
  });
});

describe("Progress", () => {
  it("pairs the begin and the end of a step and measures the time between", async () => {
    const { events, progress } = recorder();
    await progress.step(
      { step: "check", service: "a", platform: "linux/arm64" },
      () => Promise.resolve(3),
      (n) => ({
        detail: `${n} files`,
      }),
    );
    expect(events.map(formatEvent)).toEqual([
      "a linux/arm64 check ...",
      "a linux/arm64 check done (1.5 s): 3 files",
    ]);
    expect(events[0]?.id).toBe(events[1]?.id);
  });

  it("ends a failing step with the reason, and rethrows the error", async () => {
    const { events, progress } = recorder();
    const failing = progress.step({ step: "upload" }, () => Promise.reject(new Error("refused\nstack")));
    await expect(failing).rejects.toThrow("refused");
    expect(events.at(-1)).toMatchObject({ kind: "end", state: "failed", detail: "refused" });
  });

  it("ends a step as stopped when the run was stopped", async () => {
    const stop = new AbortController();
    const { events, progress } = recorder(stop.signal);
    const stopped = progress.step({ step: "build", service: "a" }, () => {
      stop.abort();
      return Promise.reject(new Error("the engine was stopped"));
    });
    await expect(stopped).rejects.toThrow();
    expect(events.map(formatEvent).at(-1)).toBe("a build stopped (1.5 s)");
  });

  it("ends a step as stopped when its service has failed, not those of other services", async () => {
    const events: ProgressEvent[] = [];
    const progress = new Progress(
      (event) => events.push(event),
      () => 0,
    );
    const fail = (): Promise<never> => Promise.reject(new Error("the session has ended"));
    progress.endService("a");
    await Promise.allSettled(["a", "b"].map((service) => progress.step({ step: "smoke", service }, fail)));
    expect(events.filter(({ kind }) => kind === "end").map(formatEvent)).toEqual([
      "a smoke stopped (0.0 s)",
      "b smoke failed (0.0 s): the session has ended",
    ]);
  });
});
