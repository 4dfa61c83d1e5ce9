import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { build } from "esbuild";
import { currentFolder } from "../src/process-state.js";

const folder = mkdtempSync(join(tmpdir(), "tgo-process-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** A program that tells whether its stdout was closed, on stderr and by its exit code. */
async function closedProgram(): Promise<string> {
  const file = join(folder, "closed.mjs");
  const contents = `import { isStdoutClosed } from "./src/process-state.ts";
    const closed = isStdoutClosed();
    process.stderr.write(String(closed));
    process.exitCode = closed ? 1 : 0;`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: join(import.meta.dirname, "..") },
    bundle: true,
    format: "esm",
    platform: "node",
    write: false,
  });
  writeFileSync(file, outputFiles[0]?.text ?? "");
  return file;
}

/** Runs a shell's line in which $0 is the program. */
async function isClosed(line: string): Promise<string> {
  const program = `${process.execPath} ${await closedProgram()}`;
  return spawnSync("sh", ["-c", line, program], { encoding: "utf8" }).stderr;
}

describe("stdout", () => {
  it.skipIf(process.platform !== "linux").each([
    ["$0 >&-", "true"],
    ["$0 >&- </dev/null", "true"],
    ["$0", "false"],
    ["$0 >/dev/null", "false"],
    ["$0 | cat", "false"],
  ])("%s: closed is %s", async (line, closed) => {
    expect(await isClosed(line)).toBe(closed);
  });

  it.skipIf(process.platform !== "linux")(
    "is not closed for a program that discards all output",
    async () => {
      expect(spawnSync(process.execPath, [await closedProgram()], { stdio: "ignore" }).status).toBe(0);
    },
  );
});

it("a deleted folder is a usage error of one line, with what to do", () => {
  const deleted = (): string => {
    throw Object.assign(new Error("ENOENT: no such file or directory, uv_cwd"), { code: "ENOENT" });
  };
  expect(() => currentFolder(deleted)).toThrow(
    "the current folder no longer exists\n  Change to one that does: cd /",
  );
  expect(currentFolder(() => "/x")).toBe("/x");
});
