import { constants, openSync } from "node:fs";
import { readFile, realpath, writeFile } from "node:fs/promises";
import { Socket } from "node:net";
import { join } from "node:path";
import { TgoError, isTgoError } from "@tgo/errors";
import { runHostCommand } from "../host-command.js";
import { lineSplitter } from "../lines.js";
import { isWithin, MountTable } from "./mount-table.js";
import { runSpec, type BuildahSpec, type RunGrants } from "./run-spec.js";

/** The OCI runtime of RUN lines. */
export interface RunRuntime {
  /** The program that buildah calls. */
  readonly path: string;
  /** Why a RUN line was refused. */
  readonly refusal: () => TgoError | undefined;
  close(): void;
}

/**
 * Makes a runtime for buildah: it lets this process replace the configuration that buildah wrote, and then calls crun.
 * @param work a folder for its files
 */
export async function createRunRuntime(work: string, grants: RunGrants): Promise<RunRuntime> {
  const [path, requests, answers] = [join(work, "runtime"), join(work, "requests"), join(work, "answers")];
  await runHostCommand(["mkfifo", "-m", "600", requests, answers]);
  await writeFile(path, SCRIPT, { mode: 0o700 });
  let refusal: TgoError | undefined;
  // Opened for both directions, so that neither waits for the other side, and none ends with it.
  const open = (file: string): number => openSync(file, constants.O_RDWR | constants.O_NONBLOCK);
  const asked = new Socket({ fd: open(requests), readable: true, writable: false });
  const answer = new Socket({ fd: open(answers), readable: false, writable: true });
  const lines = lineSplitter((bundle) => {
    replaceSpec(bundle, grants).then(
      () => answer.write("ok\n"),
      (error: unknown) => {
        refusal ??= isTgoError(error) ? error : new TgoError("INTERNAL", String(error), { cause: error });
        answer.write(`${refusal.what}\n`);
      },
    );
  });
  asked.on("data", lines.push);
  for (const socket of [asked, answer]) socket.on("error", () => undefined);
  const close = (): void => {
    for (const socket of [asked, answer]) socket.destroy();
  };
  return { path, refusal: () => refusal, close };
}

/** @param bundle the folder that buildah made for a RUN line */
async function replaceSpec(bundle: string, grants: RunGrants): Promise<void> {
  if (!isWithin(bundle, grants.temporary)) throw new TgoError("INTERNAL", `not buildah's: ${bundle}`);
  const config = join(bundle, "config.json");
  const [given, mounts] = await Promise.all([readFile(config, "utf8"), readFile(`${config}.mounts`, "utf8")]);
  const caBundle = grants.caBundle === undefined ? undefined : await realpath(grants.caBundle);
  const spec = runSpec(JSON.parse(given) as BuildahSpec, new MountTable(mounts), { ...grants, caBundle });
  await writeFile(config, JSON.stringify(spec));
}

/**
 * buildah calls it with the arguments of a runtime: create, start, state, kill, delete. Its pipes are only reached through
 * its folder, which no RUN line sees.
 */
const SCRIPT = `#!/bin/bash
set -eu
here=$(dirname "$0")
run=(crun --cgroup-manager=disabled --root "$here/crun")
case " $* " in
*" create "*) ;;
*) exec "\${run[@]}" "$@" ;;
esac
arguments=("$@")
for index in "\${!arguments[@]}"; do
  [ "\${arguments[index]}" != --bundle ] || bundle=\${arguments[index + 1]}
done
cat /proc/self/mountinfo >"$bundle/config.json.mounts"
printf '%s\\n' "$bundle" >"$here/requests"
read -r answer <"$here/answers"
[ "$answer" = ok ] || { printf '%s\\n' "$answer" >&2; exit 1; }
exec "\${run[@]}" "$@"
`;
