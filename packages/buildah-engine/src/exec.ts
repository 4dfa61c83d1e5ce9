import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { TgoError } from "@tgo/errors";
import { emulationProblem } from "./binfmt.js";
import { CA_BUNDLE, CA_VARIABLES } from "./ca.js";
import { diskFull, interrupted, lineSplitter } from "./command.js";
import type { Context } from "./context.js";
import { told } from "./events.js";
import { changeOwner, copyDirectory } from "./files.js";
import { Semaphore, SingleFlight } from "./lazy.js";
import { killSandbox, startSandbox, type Bind, type RunningSandbox, type Writable } from "./sandbox.js";
import { scrubber } from "./scrub.js";
import { startBindings, type RunningServices } from "./services.js";
import type { ContainerState, ExecResult, Mount, ServiceState } from "./state.js";
import { keyOf, type Snapshot } from "./store.js";
import { findOwner, findUser } from "./users.js";

export interface ExecOptions {
  /** Complete: entrypoint and default arguments are applied. */
  readonly args: readonly string[];
  readonly stdin?: string;
  readonly redirectStdout?: string | undefined;
  readonly redirectStderr?: string | undefined;
  readonly expect?: "SUCCESS" | "FAILURE" | "ANY";
}

/** A command ended otherwise than expected; becomes the SDK's ExecError. */
export class ExecFailure extends Error {
  constructor(
    readonly cmd: readonly string[],
    readonly exitCode: number,
    readonly stdout: string,
    readonly stderr: string,
    message?: string,
  ) {
    super(message ?? `process "${cmd.join(" ")}" did not complete successfully: exit code: ${exitCode}`);
  }
}

/** What a container's command runs with, its parts evaluated. */
export interface Prepared {
  readonly fs: Snapshot;
  readonly mounts: readonly { readonly mount: Mount; readonly fs: Snapshot | undefined }[];
  /** Everything that decides the result. */
  readonly key: unknown;
}

/** Runs containers' commands, each one once. */
export class Execs {
  readonly #cx: Context;
  readonly #flight = new SingleFlight<ExecResult>();
  readonly #limit = new Semaphore(availableParallelism() + 1);
  readonly #locks = new Map<string, Semaphore>();

  constructor(cx: Context) {
    this.#cx = cx;
  }

  /**
   * The result of a command, from the store when it was run before.
   * @throws ExecFailure, or TgoError ENVIRONMENT without emulation
   */
  async run(container: ContainerState, options: ExecOptions): Promise<ExecResult> {
    const prepared = await this.prepare(container);
    const expect = options.expect ?? "SUCCESS";
    const key = keyOf([
      "exec",
      prepared.key,
      options.args,
      options.stdin,
      options.redirectStdout,
      options.redirectStderr,
      expect,
    ]);
    return this.#flight.run(key, async () => {
      const event = { kind: "exec", title: options.args.join(" "), platform: container.platform } as const;
      const known = await this.#cx.store.readJson<ExecResult>(`s/${key}/step.json`);
      if (known && [known.fs, ...Object.values(known.mounts)].every((fs) => this.#cx.store.isWhole(fs))) {
        this.#cx.onEvent({ ...event, state: "cached" });
        return known;
      }
      const problem = emulationProblem(container.platform);
      if (problem) throw problem;
      return this.#locked(container.mounts, () =>
        this.#limit.run(() =>
          told(this.#cx.onEvent, event, () => this.#execute(key, container, prepared, options, event)),
        ),
      );
    });
  }

  /** Evaluates what a command needs: file systems, but no secret's value. */
  async prepare(container: ContainerState): Promise<Prepared> {
    const [fs, mounts, services] = await Promise.all([
      container.fs.get(),
      Promise.all(
        container.mounts.map(async (mount) => ({ mount, fs: await this.#mountedSnapshot(container, mount) })),
      ),
      Promise.all(
        container.bindings.map(async ({ alias, service }) => [alias, await this.serviceKey(service)]),
      ),
    ]);
    const { Env, User, WorkingDir } = container.config;
    const key = [
      fs.layers,
      container.platform,
      [Env, User, WorkingDir],
      mounts.map(({ mount, fs: of }) => [mount.path, mount.kind, of?.layers, mountKey(mount)]),
      container.secrets.map(({ name, secret }) => [name, secret.uri]),
      services,
    ];
    return { fs, mounts, key };
  }

  async serviceKey(service: ServiceState): Promise<unknown> {
    if (service.kind === "host") return [service.host, service.ports];
    return [(await this.prepare(service.container)).key, service.args, service.container.ports];
  }

  async #mountedSnapshot(container: ContainerState, mount: Mount): Promise<Snapshot | undefined> {
    if (mount.kind !== "tree" && mount.kind !== "file") return undefined;
    const fs = await mount.from.fs.get();
    if (mount.owner === "") return fs;
    const owner = await this.#cx.views.look(await container.fs.get(), (root) => findOwner(root, mount.owner));
    if (!owner) return fs;
    const numbers = `${owner.uid}:${owner.gid}`;
    return this.#cx.views.step(fs, ["chown", mount.from.path, numbers], (root) =>
      changeOwner(root, mount.from.path, numbers),
    );
  }

  async #locked<T>(mounts: readonly Mount[], task: () => Promise<T>): Promise<T> {
    const [first, ...rest] = mounts
      .flatMap((mount) => (mount.kind === "cache" && mount.sharing !== "SHARED" ? [mount.cache.key] : []))
      .sort();
    if (first === undefined) return task();
    const lock = this.#locks.get(first) ?? new Semaphore(1);
    this.#locks.set(first, lock);
    const others = mounts.filter((mount) => mount.kind === "cache" && rest.includes(mount.cache.key));
    return lock.run(() => this.#locked(others, task));
  }

  async #execute(
    key: string,
    container: ContainerState,
    prepared: Prepared,
    options: ExecOptions,
    event: { kind: "exec"; title: string; platform: string },
  ): Promise<ExecResult> {
    const { store, views, signal, onEvent } = this.#cx;
    const work = await store.workFolder();
    let services: RunningServices | undefined;
    try {
      services = await startBindings(this.#cx, container);
      await views.makeUpper(`${work}/step/fs`, prepared.fs);
      const { sandbox, scrub, writable } = await this.start(container, prepared, options, work, services);
      const line = lineSplitter((text) => {
        onEvent({ ...event, state: "line", line: scrub(text) });
      });
      const out = await collect(sandbox, signal, line, services.failed);
      const result = {
        exitCode: out.exitCode,
        stdout: scrub(out.stdout),
        stderr: scrub(out.stderr),
        combined: scrub(out.combined),
      };
      if (result.exitCode !== 0 && /no space left on device/i.test(result.stderr))
        throw diskFull(result.stderr);
      const expect = options.expect ?? "SUCCESS";
      if ((expect === "SUCCESS" && result.exitCode !== 0) || (expect === "FAILURE" && result.exitCode === 0))
        throw new ExecFailure(options.args.map(scrub), result.exitCode, result.stdout, result.stderr);
      const layer = (name: string, below: Snapshot): Snapshot => ({
        layers: [...below.layers, `${key}/${name}`],
      });
      const mounts = Object.fromEntries(writable.map(({ path, name, fs }) => [path, layer(name, fs)]));
      const kept: ExecResult = { ...result, fs: layer("fs", prepared.fs), mounts };
      await writeFile(store.path(work, "step/step.json"), JSON.stringify(kept));
      await store.keep(`${work}/step`, `s/${key}`);
      return (await store.readJson<ExecResult>(`s/${key}/step.json`)) ?? kept;
    } finally {
      await services?.stop();
      await store.discard(work);
    }
  }

  /** Starts a container's command in a sandbox; `work/step/fs` is its root's upper folder and exists. */
  async start(
    container: ContainerState,
    prepared: Prepared,
    options: ExecOptions,
    work: string,
    services: RunningServices,
  ): Promise<Started> {
    const { store, views } = this.#cx;
    const { config } = container;
    const user = await views.look(prepared.fs, (root) => findUser(root, config.User ?? ""));
    const secrets = await Promise.all(
      container.secrets.map(async ({ name, secret }) => ({ name, value: await secret.plaintext() })),
    );
    const writable: Started["writable"][number][] = [];
    const binds: Bind[] = [];
    const plain = secrets.map(({ value }) => value);
    for (const [index, { mount, fs }] of prepared.mounts.entries()) {
      if (mount.kind === "secret") {
        const value = await mount.secret.plaintext();
        plain.push(value);
        const owner = await views.look(prepared.fs, (root) => findOwner(root, mount.owner));
        const ids = { uid: owner?.uid ?? 0, gid: owner?.gid ?? 0 };
        binds.push({ target: mount.path, secret: Buffer.from(value), mode: mount.mode, ...ids });
      } else if (mount.kind === "tmp") binds.push({ target: mount.path, tmpfs: mount.size });
      else if (mount.kind === "cache")
        binds.push({
          target: mount.path,
          host: await this.#cacheFolder(mount, prepared.fs),
          file: false,
          readOnly: false,
        });
      else if (fs) {
        const file = mount.kind === "file";
        const bind = { target: mount.path, from: fs, path: mount.from.path, file };
        if (mount.kind === "tree" && mount.readOnly) binds.push(bind);
        else {
          const name = `m${index}`;
          await views.makeUpper(`${work}/step/${name}`, fs);
          writable.push({ path: mount.path, name, fs });
          binds.push({ ...bind, writable: await workOf(`${work}/step/${name}`, `${work}/${name}.work`) });
        }
      }
    }
    const env = [...(config.Env ?? []), ...secrets.map(({ name, value }) => `${name}=${value}`)];
    const has = (name: string): boolean => env.some((item) => item.startsWith(`${name}=`));
    if (!has("PATH")) env.push("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    if (!has("HOME")) env.push(`HOME=${user.home}`);
    if (this.#cx.caBundle !== undefined) {
      binds.push({ target: CA_BUNDLE, host: this.#cx.caBundle, file: true, readOnly: true });
      for (const name of CA_VARIABLES) if (!has(name)) env.push(`${name}=${CA_BUNDLE}`);
    }
    const sandbox = await startSandbox(store, {
      snapshot: prepared.fs,
      work,
      changes: await workOf(`${work}/step/fs`, `${work}/fs.work`),
      args: options.args,
      env,
      workdir: config.WorkingDir === undefined || config.WorkingDir === "" ? "/" : config.WorkingDir,
      user,
      binds: binds.sort((a, b) => a.target.split("/").length - b.target.split("/").length),
      stdin: options.stdin ?? "",
      hosts: services.hosts,
      network: services.network,
      redirect: { stdout: options.redirectStdout, stderr: options.redirectStderr },
    });
    return { sandbox, scrub: scrubber(plain), writable };

    async function workOf(upper: string, folder: string): Promise<Writable> {
      await mkdir(store.path(folder));
      return { upper, work: folder };
    }
  }

  async #cacheFolder(mount: Mount & { kind: "cache" }, fs: Snapshot): Promise<string> {
    const { store, views } = this.#cx;
    const name = `caches/${createHash("sha256").update(mount.cache.key).digest("hex").slice(0, 32)}`;
    if (!store.has(name)) {
      const work = await store.workFolder();
      await mkdir(store.path(work, "cache"));
      if (mount.source) {
        const { path } = mount.source;
        await views.look(await mount.source.fs.get(), (root) =>
          copyDirectory(`${root}${path}`, store.path(work, "cache"), "/", undefined),
        );
      }
      await store.keep(`${work}/cache`, name);
      await store.discard(work);
    }
    const owner = await views.look(fs, (root) => findOwner(root, mount.owner));
    await owner?.apply(store.path(name));
    return store.path(name);
  }
}

export interface Started {
  readonly sandbox: RunningSandbox;
  readonly scrub: (text: string) => string;
  readonly writable: readonly { readonly path: string; readonly name: string; readonly fs: Snapshot }[];
}

function mountKey(mount: Mount): unknown {
  switch (mount.kind) {
    case "tree":
      return [mount.from.path, mount.readOnly];
    case "file":
      return mount.from.path;
    case "cache":
      return [mount.cache.key, mount.owner];
    case "secret":
      return [mount.secret.uri, mount.owner, mount.mode];
    case "tmp":
      return mount.size;
  }
}

interface Output {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly combined: string;
}

/**
 * Waits for the end; a stop signal, or a service that died, ends the command at once.
 * @throws TgoError ENVIRONMENT when the sandbox could not be set up
 */
export async function collect(
  sandbox: RunningSandbox,
  signal: AbortSignal,
  onChunk: (chunk: Buffer) => void,
  failed?: Promise<never>,
): Promise<Output> {
  const all: Buffer[] = [];
  const streams = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  for (const name of ["stdout", "stderr"] as const)
    sandbox.child[name]?.on("data", (chunk: Buffer) => {
      streams[name].push(chunk);
      all.push(chunk);
      onChunk(chunk);
    });
  const kill = (): void => {
    killSandbox(sandbox);
  };
  signal.addEventListener("abort", kill);
  try {
    const ended = new Promise<number>((resolve, reject) => {
      sandbox.child.on("error", reject);
      sandbox.child.on("close", (code) => {
        resolve(code ?? 137);
      });
    });
    if (signal.aborted) kill();
    const exitCode = await (failed ? Promise.race([ended, failed]) : ended).catch(async (error: unknown) => {
      kill();
      await ended;
      throw error;
    });
    if (signal.aborted) throw interrupted();
    const text = (parts: Buffer[]): string => Buffer.concat(parts).toString();
    if (!sandbox.ready)
      throw new TgoError(
        "ENVIRONMENT",
        `the sandbox of a command could not be set up: ${text(streams.stderr).trim()}`,
        {
          remedy:
            "the engine needs a local disk that overlay mounts work on, and the rights to mount: XDG_CACHE_HOME moves its folder",
        },
      );
    return { exitCode, stdout: text(streams.stdout), stderr: text(streams.stderr), combined: text(all) };
  } finally {
    signal.removeEventListener("abort", kill);
  }
}
