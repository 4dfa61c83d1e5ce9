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

/** Runs a shell's line in which $0 prints whether its stdout was closed, to stderr. */
async function isClosed(line: string): Promise<string> {
  const file = join(folder, "closed.mjs");
  const contents = `import { isStdoutClosed } from "./src/process-state.ts"; process.stderr.write(String(isStdoutClosed()))`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: join(import.meta.dirname, "..") },
    bundle: true,
    format: "esm",
    platform: "node",
    write: false,
  });
  writeFileSync(file, outputFiles[0]?.text ?? "");
  return spawnSync("sh", ["-c", line, `${process.execPath} ${file}`], { encoding: "utf8" }).stderr;
}

describe("stdout", () => {
  it.skipIf(process.platform !== "linux").each([
    ["$0 >&-", "true"],
    ["$0", "false"],
    ["$0 >/dev/null", "false"],
    ["$0 | cat", "false"],
  ])("%s: closed is %s", async (line, closed) => {
    expect(await isClosed(line)).toBe(closed);
  });
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
