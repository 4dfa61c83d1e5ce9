import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const CHILD = fileURLToPath(new URL("child.ts", import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
  readonly ms: number;
}

/** Starts a run that never ends by itself, and sends the signals one after the other once it runs. */
function interrupt(...signals: NodeJS.Signals[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--import", "tsx", CHILD], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    let started = 0;
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString("utf8");
      const [next] = signals;
      const ready = started === 0 ? stderr.includes("READY") : stderr.includes("interrupted");
      if (!ready || next === undefined) return;
      started ||= performance.now();
      signals.shift();
      child.kill(next);
    });
    child.on("close", (code) => {
      resolve({ code, stderr, ms: performance.now() - started });
    });
  });
}

it("the first Ctrl-C prints what it interrupted, the second ends the process at once", async () => {
  const { code, stderr, ms } = await interrupt("SIGINT", "SIGINT");
  expect(code).toBe(130);
  expect(stderr).toContain("interrupted while running:\n  tgo-api linux/arm64 build");
  // Well within the time an engine has to close.
  expect(ms).toBeLessThan(5000);
});

it("one SIGTERM ends even a function that ignores it, after the time to close the engine", async () => {
  const { code, stderr } = await interrupt("SIGTERM");
  expect(code).toBe(143);
  expect(stderr).toContain("Run the same command again to finish the rest:");
});
