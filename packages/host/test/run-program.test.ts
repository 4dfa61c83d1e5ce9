import { TgoError } from "@tgo/errors";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { runProgram } from "../src/index.js";

const PATH = { PATH: process.env.PATH };
const shell = (script: string, more = {}): ReturnType<typeof runProgram> =>
  runProgram("sh", { args: ["-c", script], env: PATH, ...more });
/** Whether a process runs; a zombie does not. */
const runs = async (pid: string): Promise<boolean> =>
  /^State:\s+[^ZX]/m.test(await readFile(`/proc/${pid}/status`, "utf8").catch(() => ""));

it("returns what the program printed and how it ended, and gives it the input", async () => {
  expect(await shell("cat; echo oh >&2; exit 3", { input: "in" })).toEqual({
    stdout: "in",
    stderr: "oh\n",
    exitCode: 3,
  });
});

it("stops a program that hangs, with everything it started, and shows nothing it printed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tgo-program-"));
  const script = `echo password; sleep 4711 & echo $! > ${folder}/pid; sleep 4711`;
  const error = await shell(script, {
    timeoutMs: 300,
    remedy: "Mend it.",
  }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(TgoError);
  expect((error as TgoError).message).toBe("sh did not finish within 0.3 s and was stopped\n  Mend it.");
  await sleep(100);
  const pid = await readFile(join(folder, "pid"), "utf8");
  expect(pid).toMatch(/^\d+\n$/);
  expect(await runs(pid.trim())).toBe(false);
  await rm(folder, { recursive: true });
});

it("stops a program that prints without end", async () => {
  await expect(shell("exec cat /dev/zero", { maxBytes: 1 << 20 })).rejects.toThrow(
    "sh printed more than 1 MiB and was stopped",
  );
});

it("does not wait for a service that the program leaves behind", async () => {
  const started = performance.now();
  expect(await shell("sleep 3 & echo done")).toMatchObject({ stdout: "done\n", exitCode: 0 });
  expect(performance.now() - started).toBeLessThan(2500);
});

it("passes on that there is no such program", async () => {
  await expect(runProgram("no-such-program", { args: [], env: PATH })).rejects.toMatchObject({
    code: "ENOENT",
  });
});

it.each([".", "", `.::tools:${PATH.PATH ?? ""}`])(
  "takes no program from the current folder: PATH=%s",
  async (path) => {
    const folder = await mkdtemp(join(tmpdir(), "tgo-program-"));
    await mkdir(join(folder, "tools"));
    for (const name of ["own-program", "tools/own-program"])
      await writeFile(join(folder, name), "#!/bin/sh\n", { mode: 0o755 });
    const options = { args: [], env: { PATH: path }, cwd: folder };
    await expect(runProgram("own-program", options)).rejects.toMatchObject({ code: "ENOENT" });
    await expect(runProgram("./own-program", options)).resolves.toMatchObject({ exitCode: 0 });
    await rm(folder, { recursive: true });
  },
);

it("tells the last errors of a program that may show them", async () => {
  const late = shell("echo waiting for a lock >&2; exec sleep 60", { timeoutMs: 500, showsErrors: true });
  await expect(late).rejects.toThrow(
    "sh did not finish within 0.5 s and was stopped; it said\nwaiting for a lock",
  );
});
