import { problemOf, TgoError, type Problem } from "@tgo/errors";
import { foreignProgram } from "@tgo/publishing";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const LIMIT_MS = 20_000;

/**
 * Runs a program of a platform that does nothing.
 * @returns why it did not run; undefined if it did
 */
export async function runProgramOf(
  platform: Parameters<typeof foreignProgram>[0],
): Promise<Problem | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "tgo-doctor-"));
  const path = join(folder, "program");
  try {
    await writeFile(path, foreignProgram(platform), { mode: 0o755 });
    await promisify(execFile)(path, { timeout: LIMIT_MS, killSignal: "SIGKILL", env: {}, cwd: "/" });
    return undefined;
  } catch (error) {
    const { code, signal, stderr } = error as { code?: string | number; signal?: string; stderr?: string };
    const said = stderr?.trim().split("\n").at(-1) ?? "";
    // Where no emulator takes it, libc gives it to a shell, which quotes the program itself.
    const why = said.includes(path) ? "nothing here takes it for a program" : said || String(signal ?? code);
    return problemOf(
      new TgoError("ENVIRONMENT", `a program of ${platform} does not run here: ${why}`, {
        remedy:
          code === "EACCES"
            ? `Programs cannot be run from ${tmpdir()}: set TMPDIR to a folder that is not mounted noexec.`
            : "Install a newer emulator: apt-get install -y --reinstall qemu-user-static binfmt-support",
      }),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
