import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import type { Judge } from "./bad-images/bad-images.js";

const execute = promisify(execFile);

/** A published image of 100 MB takes ten seconds, and longer on a busy machine; what needs more waits for something. */
const TIMEOUT_MS = 5 * 60_000;

/** What another program makes of an image. */
export interface Verdict {
  readonly refuses: boolean;
  /** The end of what it printed. */
  readonly says: string;
}

/** How each program is made to read an image whole: all platforms, every blob, every digest. */
const COMMANDS: Readonly<
  Record<Judge, (image: Readonly<Record<"host" | "path" | "folder", string>>) => string[]>
> = {
  skopeo: ({ host, path, folder }) => [
    ...["copy", "--all", "--src-tls-verify=false"],
    ...[`docker://${host}/${path}`, `oci:${folder}:image`],
  ],
  crane: ({ host, path }) => ["validate", "--remote", `${host}/${path}`],
  regctl: ({ host, path, folder }) => [
    ...["image", "copy", "--host", `reg=${host},tls=disabled`],
    ...[`${host}/${path}`, `ocidir://${folder}:image`],
  ],
  oras: ({ host, path, folder }) => [
    ...["copy", "--from-plain-http", `${host}/${path}`],
    ...["--to-oci-layout", `${folder}:image`],
  ],
};

/**
 * Has another program read an image.
 * @param host `localhost:PORT` of a registry without TLS and credentials
 * @param path `repository:tag`
 * @param program its file, if it is not on the `PATH`
 */
export async function askJudge(
  judge: Judge,
  { host, path, program = judge }: { host: string; path: string; program?: string },
): Promise<Verdict> {
  const folder = await mkdtemp(join(tmpdir(), "tgo-judge-"));
  try {
    const args = COMMANDS[judge]({ host, path, folder: join(folder, "layout") });
    const { stdout, stderr } = await execute(program, args, { timeout: TIMEOUT_MS });
    return { refuses: false, says: lastLine(stderr || stdout) };
  } catch (error) {
    const { code, stderr = "" } = error as { code?: unknown; stderr?: string };
    // A program that is missing, or was stopped, has said nothing.
    if (typeof code !== "number") throw error;
    return { refuses: true, says: lastLine(stderr) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whether a program is on the `PATH`. */
export function hasJudge(judge: Judge): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, judge)));
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
