import { existsSync } from "node:fs";
import { chmod, chown, mkdir } from "node:fs/promises";
import { relative as relativeTo } from "node:path";
import { CA_VARIABLES } from "@tgo/image";
import { CA_BUNDLE } from "../ca.js";
import type { Context } from "../context.js";
import { runProblem } from "../emulation.js";
import { resolveIn } from "../files/paths.js";
import { makeFolder } from "../files/plain-modes.js";
import { findUser, type User } from "../files/users.js";
import type { MountAccess } from "../state.js";
import { keyOf } from "../store/keys.js";
import type { OverlayChanges } from "../store/overlay-options.js";
import type { Snapshot } from "../store/snapshot.js";
import type { Job } from "./job.js";
import { startSandbox, type Bind, type NetworkNamespace, type RunningSandbox } from "./sandbox.js";
import { scrubber, type Scrubber } from "./scrub.js";

/** A command that runs. */
export interface StartedJob {
  readonly sandbox: RunningSandbox;
  readonly args: readonly string[];
  readonly scrub: Scrubber;
  readonly writable: readonly WritableMount[];
}

interface WritableMount {
  readonly path: string;
  /** Of its upper folder, below `step/`. */
  readonly name: string;
  readonly fs: Snapshot;
}

/**
 * Starts a job's command in a sandbox. Changes to its root go to `step/fs` in the work folder.
 * @param work a work folder, relative to the store's home
 * @throws TgoError ENVIRONMENT without emulation
 */
export async function startJob(
  cx: Context,
  job: Job,
  work: string,
  network: NetworkNamespace,
): Promise<StartedJob> {
  const { config, platform, secrets, proxies } = job.container;
  const problem = runProblem(cx.settings, platform);
  if (problem) throw problem;
  const user = await cx.snapshots.mount(job.fs, (root) => findUser(root, config.User ?? ""));
  const env = [...(config.Env ?? [])];
  const plaintexts: string[] = [];
  for (const { name, secret } of secrets) {
    const value = await secret.plaintext();
    plaintexts.push(value);
    env.push(`${name}=${value}`);
  }
  const { binds, writable } = await bindMounts(cx, job, work, plaintexts);
  for (const [name, value] of Object.entries(proxies?.env ?? {}))
    if (!isSet(env, name)) env.push(`${name}=${value}`);
  addDefaults(env, user);
  if (cx.settings.caBundle !== undefined) {
    binds.push({ target: CA_BUNDLE, file: true, host: cx.settings.caBundle, readOnly: true });
    for (const name of CA_VARIABLES) if (!isSet(env, name)) env.push(`${name}=${CA_BUNDLE}`);
  }
  const sandbox = await startSandbox(cx.store, {
    ...{ snapshot: job.fs, changes: await makeChanges(cx, work, "fs", job.fs), args: job.args },
    ...{ env, user, work, network },
    workdir: config.WorkingDir === undefined || config.WorkingDir === "" ? "/" : config.WorkingDir,
    binds: binds.sort((a, b) => a.target.split("/").length - b.target.split("/").length),
  });
  return {
    sandbox,
    args: job.args,
    scrub: scrubber(plaintexts, [...Object.values(proxies?.env ?? {}), ...(proxies?.masked ?? [])]),
    writable,
  };
}

/** The mounts as the sandbox binds them; the plaintexts of mounted secrets are added to `plaintexts`. */
async function bindMounts(
  cx: Context,
  job: Job,
  work: string,
  plaintexts: string[],
): Promise<{ binds: Bind[]; writable: WritableMount[] }> {
  const binds: Bind[] = [];
  const writable: WritableMount[] = [];
  for (const [index, { mount, fs }] of job.mounts.entries()) {
    const target = mount.path;
    if (mount.kind === "secret") {
      const value = await mount.secret.plaintext();
      plaintexts.push(value);
      const { owner, mode } = mount;
      binds.push({
        ...{ target, file: true, secret: value },
        ...(owner === undefined ? {} : { owner }),
        ...(mode === undefined ? {} : { mode }),
      });
    } else if (mount.kind === "tmpfs") {
      binds.push({ target, file: false, tmpfs: true });
    } else if (mount.kind === "cache") {
      const host = cx.store.path("caches", keyOf(mount.cache.key));
      if (!existsSync(host)) await makeCache(host, mount.cache);
      binds.push({ target, file: false, host, readOnly: false });
    } else if (fs) {
      // Resolved here: the runtime would follow a link in the tree to the host's files.
      const path = await cx.snapshots.mount(fs, (root) => relativeTo(root, resolveIn(root, mount.from.path)));
      const bind = { target, file: mount.file, from: fs, path };
      const name = `m${index}`;
      if (!mount.readOnly) writable.push({ path: target, name, fs });
      binds.push(mount.readOnly ? bind : { ...bind, changes: await makeChanges(cx, work, name, fs) });
    }
  }
  return { binds, writable };
}

async function makeCache(folder: string, { owner, mode }: MountAccess): Promise<void> {
  await makeFolder(folder);
  if (mode !== undefined) await chmod(folder, mode);
  const [uid, gid] = (owner ?? "").split(":").map(Number);
  if (uid !== undefined && gid !== undefined) await chown(folder, uid, gid);
}

async function makeChanges(cx: Context, work: string, name: string, fs: Snapshot): Promise<OverlayChanges> {
  const changes = { upper: `${work}/step/${name}`, work: `${work}/${name}.work` };
  await cx.snapshots.makeUpper(changes.upper, fs);
  await mkdir(cx.store.path(changes.work));
  return changes;
}

function addDefaults(env: string[], user: User): void {
  if (!isSet(env, "PATH")) env.push("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  if (!isSet(env, "HOME")) env.push(`HOME=${user.home}`);
}

function isSet(env: readonly string[], name: string): boolean {
  return env.some((item) => item.startsWith(`${name}=`));
}
