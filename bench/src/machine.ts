import { readHead, TemporaryFolders } from "@tgo/git";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { cpus, release, totalmem, type } from "node:os";
import { promisify } from "node:util";
import type { Machine } from "./results.js";
import { ROOT } from "./samples.js";

const run = promisify(execFile);

export async function describeMachine(): Promise<Machine> {
  const processors = cpus();
  const osRelease = await readFile("/etc/os-release", "utf8").catch(() => "");
  return {
    cpu: (processors[0]?.model ?? "unknown").trim(),
    cores: processors.length,
    memory: totalmem(),
    os: /^PRETTY_NAME="?([^"\n]*)/m.exec(osRelease)?.[1] ?? type(),
    kernel: release(),
  };
}

/** Versions of everything that affects build times. Missing tools are left out. */
export async function toolVersions(): Promise<Record<string, string>> {
  const [sdk, crun, qemu, pipelines] = await Promise.all([
    readFile(`${ROOT}/node_modules/@dagger.io/dagger/package.json`, "utf8"),
    firstMatch("crun", ["--version"], /version (\S+)/),
    firstMatch(
      `qemu-${process.arch === "x64" ? "aarch64" : "x86_64"}-static`,
      ["--version"],
      /version (\S+)/,
    ),
    commitOfPipelines(),
  ]);
  const versions = {
    node: process.versions.node,
    "dagger SDK": /"version": "([^"]+)"/.exec(sdk)?.[1],
    crun,
    qemu,
    pipelines,
  };
  return Object.fromEntries(
    Object.entries(versions).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

async function commitOfPipelines(): Promise<string | undefined> {
  const folders = new TemporaryFolders();
  const head = await readHead({ folder: ROOT, folders }).catch(() => undefined);
  await folders.remove();
  return head?.revision.slice(0, 12);
}

async function firstMatch(
  program: string,
  args: readonly string[],
  pattern: RegExp,
): Promise<string | undefined> {
  const output = await run(program, [...args]).catch(() => undefined);
  return output === undefined ? undefined : pattern.exec(output.stdout)?.[1];
}
