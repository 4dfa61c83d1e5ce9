import { spawn } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { setUp, sh } from "./support/fixture.js";
import { processes } from "./support/processes.js";
import { session } from "./support/session.js";

const fixture = setUp();

describe("stopping", () => {
  it("by the signal ends every process and leaves no partial entry", async () => {
    const own = fixture.folder({});
    const stop = new AbortController();
    const outcome = session(
      {
        home: own,
        signal: stop.signal,
        onEvent: ({ state, line }) => {
          if (state === "line" && line === "started") stop.abort();
        },
      },
      async ({ client }) => {
        const service = fixture.base(client).withDefaultArgs(["sleep", "4322"]).asService();
        await sh(
          fixture.base(client).withServiceBinding("s", service),
          "echo x > /x; echo started; sleep 4321 & sleep 4321",
        ).sync();
      },
    );
    await expect(outcome).rejects.toThrow("the engine was stopped before this step finished");
    expect(processes("sleep 432")).toEqual([]);
    expect(readdirSync(join(own, "w"))).toEqual([]);
    expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(own);
    const results = readdirSync(join(own, "s")).filter((key) => existsSync(join(own, "s", key, "step.json")));
    expect(results).toEqual([]);
  });

  it("by SIGKILL ends every process too, and the next engine removes the leftovers", async () => {
    const own = fixture.folder({});
    const script = `
      import { busybox } from ${JSON.stringify(join(import.meta.dirname, "support/busybox.ts"))};
      import { session } from ${JSON.stringify(join(import.meta.dirname, "support/session.ts"))};
      await session({ home: ${JSON.stringify(own)}, onEvent: ({ line }) => line && console.log(line) }, ({ client }) =>
        busybox(client, ${JSON.stringify(fixture.image)}).withExec(["sh", "-c", "echo x > /x; echo started; sleep 4323"]).sync());`;
    const file = join(fixture.folder({ "run.mts": script }), "run.mts");
    const child = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), file], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise<void>((resolve) => {
      child.stdout.on("data", (chunk: Buffer) => {
        if (chunk.includes("started")) resolve();
      });
    });
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("close", resolve));
    await expect.poll(() => processes("sleep 4323"), { timeout: 5000 }).toEqual([]);
    expect(readdirSync(join(own, "w"))).not.toEqual([]);
    await session({ home: own }, () => Promise.resolve());
    expect(readdirSync(join(own, "w"))).toEqual([]);
  });
});
