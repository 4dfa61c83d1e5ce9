import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { TgoError } from "@tgo/errors";
import { emulationProblem } from "./binfmt.js";
import { CA_BUNDLE, CA_VARIABLES } from "./ca.js";
import { diskFull, interrupted, lineSplitter } from "./command.js";
import type { Context } from "./context.js";
import { told } from "./events.js";
import { ConcurrencyLimit, SingleFlight } from "./lazy.js";
import { killSandbox, startSandbox, type Bind, type RunningSandbox, type Writable } from "./sandbox.js";
import { scrubber } from "./scrub.js";
import { startBindings, type Network } from "./services.js";
import type { ContainerState, ExecResult, Mount, ServiceState } from "./state.js";
import { keyOf, type Snapshot } from "./store.js";
import { fileContent } from "./tree.js";
import { findUser } from "./users.js";

export type Expectation = "SUCCESS" | "FAILURE" | "ANY";

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

/** A command with all that it runs with, evaluated. */
interface Job {
  readonly container: ContainerState;
  readonly args: readonly string[];
  readonly fs: Snapshot;
  readonly mounts: readonly { readonly mount: Mount; readonly fs: Snapshot | undefined }[];
  /** Everything that decides the result. */
  readonly key: unknown;
}

/** Runs containers' commands, each one once. */
export class Execs {
  readonly #flight = new SingleFlight<ExecResult>();
  readonly #limit = new ConcurrencyLimit(availableParallelism() + 1);

  constructor(private readonly cx: Context) {}

  /**
   * The result of a command, from the store when it was run before.
   * @param args complete: entrypoint and default arguments are applied
   * @throws ExecFailure, or TgoError ENVIRONMENT without emulation
   */
  async run(container: ContainerState, args: readonly string[], expect: Expectation): Promise<ExecResult> {
    const { store, settings } = this.cx;
    const job = await this.#prepare(container, args);
    const key = keyOf(["exec", job.key, expect]);
    return this.#flight.run(key, async () => {
      const event = { kind: "exec", title: args.join(" "), platform: container.platform } as const;
      const known = await store.readJson<ExecResult>(`s/${key}/step.json`);
      if (known && [known.fs, ...Object.values(known.mounts)].every((fs) => store.isWhole(fs))) {
        settings.onEvent({ ...event, state: "cached" });
        return known;
      }
      return this.#limit.run(() =>
        told(settings.onEvent, event, (line) => this.#execute(key, job, expect, line)),
      );
    });
  }

  /** Evaluates what a command needs: file systems, but no secret's value. */
  async #prepare(container: ContainerState, args: readonly string[]): Promise<Job> {
    const [fs, mounts, services] = await Promise.all([
      container.fs.get(),
      Promise.all(
        container.mounts.map(async (mount) => {
          const of = await mountedFs(mount);
          return { mount, fs: of, content: await this.#mountContent(mount, of) };
        }),
      ),
      Promise.all(
        container.bindings.map(async ({ alias, service }) => [alias, await this.#serviceKey(service)]),
      ),
    ]);
    const { Env, User, WorkingDir } = container.config;
    const key = [
      ...[args, fs.layers, container.platform, Env, User, WorkingDir],
      mounts.map(({ mount, content }) => [mount.path, mount.kind, content]),
      container.secrets.map(({ name, secret }) => [name, secret.uri]),
      services,
    ];
    return { container, args, fs, mounts, key };
  }

  /** What a mount holds, for the key: a file by its content, a directory by what led to it. */
  async #mountContent(mount: Mount, fs: Snapshot | undefined): Promise<unknown> {
    if (mount.kind === "cache") return mount.cache.key;
    if (mount.kind === "secret") return mount.secret.uri;
    return [
      mount.readOnly,
      mount.file ? await fileContent(this.cx, mount.from) : [fs?.layers, mount.from.path],
    ];
  }

  async #serviceKey(service: ServiceState): Promise<unknown> {
    if (service.kind === "host") return [service.host, service.ports];
    return [(await this.#prepare(service.container, service.args)).key, service.container.ports];
  }

  async #execute(
    key: string,
    job: Job,
    expect: Expectation,
    onLine: (line: string) => void,
  ): Promise<ExecResult> {
    const { store } = this.cx;
    const network = await startBindings(this.cx, job.container);
    return store
      .inWork(async (work) => {
        const started = await this.#start(job, work, network);
        const { cmd, exitCode, stdout, stderr } = await this.#collect(started, onLine, network?.failed);
        if (exitCode !== 0 && /no space left on device/i.test(stderr)) throw diskFull(stderr);
        if ((expect === "SUCCESS" && exitCode !== 0) || (expect === "FAILURE" && exitCode === 0))
          throw new ExecFailure(cmd, exitCode, stdout, stderr);
        const layer = (name: string, { layers }: Snapshot) => ({ layers: [...layers, `${key}/${name}`] });
        const mounts = started.writable.map(({ path, name, fs }) => [path, layer(name, fs)] as const);
        const fs = layer("fs", job.fs);
        const result: ExecResult = { exitCode, stdout, stderr, fs, mounts: Object.fromEntries(mounts) };
        await writeFile(store.path(work, "step/step.json"), JSON.stringify(result));
        await store.keep(`${work}/step`, `s/${key}`);
        return (await store.readJson<ExecResult>(`s/${key}/step.json`)) ?? result;
      })
      .finally(() => network?.stop());
  }

  /** Runs a service's command until it ends or is stopped; what it writes is not kept. */
  async serve(container: ContainerState, args: readonly string[], network: Network): Promise<Served> {
    const { store, settings } = this.cx;
    const job = await this.#prepare(container, args);
    const event = { kind: "service", title: args.join(" "), platform: container.platform } as const;
    return new Promise((resolve, reject) => {
      const ended = store.inWork(async (work) => {
        const started = await this.#start(job, work, network);
        return told(settings.onEvent, event, (line) => {
          const outcome = this.#collect(started, line);
          resolve({ ended, sandbox: started.sandbox });
          return outcome;
        });
      });
      ended.catch(reject);
    });
  }

  /** Starts a container's command in a sandbox, with `work/step/fs` for what it changes in its root. */
  async #start(job: Job, work: string, network: Network | undefined): Promise<Started> {
    const { config, platform, secrets } = job.container;
    const problem = emulationProblem(platform);
    if (problem) throw problem;
    const { store, views, settings } = this.cx;
    const user = await views.look(job.fs, (root) => findUser(root, config.User ?? ""));
    const env = [...(config.Env ?? [])];
    const plain: string[] = [];
    for (const { name, secret } of secrets) {
      const value = await secret.plaintext();
      plain.push(value);
      env.push(`${name}=${value}`);
    }
    const writableOf = async (name: string, fs: Snapshot): Promise<Writable> => {
      const writable = { upper: `${work}/step/${name}`, work: `${work}/${name}.work` };
      await views.makeUpper(writable.upper, fs);
      await mkdir(store.path(writable.work));
      return writable;
    };
    const writable: Started["writable"][number][] = [];
    const binds: Bind[] = [];
    for (const [index, { mount, fs }] of job.mounts.entries()) {
      const target = mount.path;
      if (mount.kind === "secret") {
        const value = await mount.secret.plaintext();
        plain.push(value);
        binds.push({ target, file: true, secret: value });
      } else if (mount.kind === "cache") {
        const host = store.path("caches", keyOf(mount.cache.key));
        await mkdir(host, { recursive: true });
        binds.push({ target, file: false, host, readOnly: false });
      } else if (fs) {
        const bind = { target, file: mount.file, from: fs, path: mount.from.path };
        const name = `m${index}`;
        if (!mount.readOnly) writable.push({ path: target, name, fs });
        binds.push(mount.readOnly ? bind : { ...bind, writable: await writableOf(name, fs) });
      }
    }
    const has = (name: string): boolean => env.some((item) => item.startsWith(`${name}=`));
    if (!has("PATH")) env.push("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    if (!has("HOME")) env.push(`HOME=${user.home}`);
    if (settings.caBundle !== undefined) {
      binds.push({ target: CA_BUNDLE, file: true, host: settings.caBundle, readOnly: true });
      for (const name of CA_VARIABLES) if (!has(name)) env.push(`${name}=${CA_BUNDLE}`);
    }
    const sandbox = await startSandbox(store, {
      ...{ snapshot: job.fs, changes: await writableOf("fs", job.fs), args: job.args },
      ...{ env, user, work, network },
      workdir: config.WorkingDir === undefined || config.WorkingDir === "" ? "/" : config.WorkingDir,
      binds: binds.sort((a, b) => a.target.split("/").length - b.target.split("/").length),
    });
    return { sandbox, args: job.args, scrub: scrubber(plain), writable };
  }

  /**
   * Waits for the end; a stop of the engine, or a service that died, ends the command at once.
   * @throws TgoError ENVIRONMENT when the sandbox could not be set up
   */
  async #collect(
    { sandbox, args, scrub }: Started,
    onLine: (line: string) => void,
    failed?: Promise<never>,
  ): Promise<Outcome> {
    const { signal } = this.cx.settings;
    const lines = lineSplitter((line) => {
      onLine(scrub(line));
    });
    const said = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    for (const name of ["stdout", "stderr"] as const)
      sandbox.child[name]?.on("data", (chunk: Buffer) => {
        said[name].push(chunk);
        lines(chunk);
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
      const exitCode = await (failed ? Promise.race([ended, failed]) : ended).catch(
        async (error: unknown) => {
          kill();
          await ended;
          throw error;
        },
      );
      if (signal.aborted) throw interrupted();
      const text = (chunks: Buffer[]): string => scrub(Buffer.concat(chunks).toString());
      const [stdout, stderr] = [text(said.stdout), text(said.stderr)];
      if (sandbox.ready) return { cmd: args.map(scrub), exitCode, stdout, stderr };
      throw new TgoError("ENVIRONMENT", `the sandbox of a command could not be set up: ${stderr.trim()}`, {
        remedy:
          "the engine needs a local disk that overlay mounts work on, and the rights to mount: XDG_CACHE_HOME moves its folder",
      });
    } finally {
      signal.removeEventListener("abort", kill);
    }
  }
}

interface Started {
  readonly sandbox: RunningSandbox;
  readonly args: readonly string[];
  readonly scrub: (text: string) => string;
  readonly writable: readonly { readonly path: string; readonly name: string; readonly fs: Snapshot }[];
}

/** How a command ended, without its secrets. */
export interface Outcome {
  readonly cmd: readonly string[];
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A service that was started. */
export interface Served {
  readonly sandbox: RunningSandbox;
  readonly ended: Promise<Outcome>;
}

async function mountedFs(mount: Mount): Promise<Snapshot | undefined> {
  return mount.kind === "tree" ? mount.from.fs.get() : undefined;
}
