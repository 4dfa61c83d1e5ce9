import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { isDockerRunning } from "../src/engine.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-docker-"));
  vi.stubEnv("PATH", `${folder}:${process.env.PATH ?? ""}`);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

it.each([
  ["answers", "echo 28.0.1", true],
  ["fails", "exit 1", false],
  ["hangs and takes no signal", "trap '' TERM INT; while :; do sleep 1; done", false],
])("asks docker, which %s, for three seconds at most", async (_, script, running) => {
  await writeFile(join(folder, "docker"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const started = performance.now();
  expect(await isDockerRunning()).toBe(running);
  expect(performance.now() - started).toBeLessThan(8_000);
});

it("knows that docker is not running where it is not installed", async () => {
  vi.stubEnv("PATH", folder);
  expect(await isDockerRunning()).toBe(false);
});
