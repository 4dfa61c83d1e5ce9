import { availableParallelism } from "node:os";
import { saysDiskFull } from "@tgo/errors";
import pLimit from "p-limit";
import type { Context } from "../context.js";
import { diskFull } from "../errors.js";
import { withEvents } from "../events.js";
import { SingleFlight } from "../single-flight.js";
import type { ContainerState, ExecResult } from "../state.js";
import { keyOf } from "../store/keys.js";
import type { Snapshot } from "../store/snapshot.js";
import { collectOutcome } from "./collect-outcome.js";
import { ExecFailure } from "./exec-failure.js";
import { prepareJob, type Job } from "./job.js";
import type { NetworkNamespace } from "./sandbox.js";
import { startBindings, type RunningService } from "./services.js";
import { startJob } from "./start-job.js";

/** The exit codes that withExec accepts. */
export type Expectation = "SUCCESS" | "FAILURE" | "ANY";

/** A command that is run now. */
interface Step {
  readonly key: string;
  readonly job: Job;
  readonly expect: Expectation;
  readonly onLine: (line: string) => void;
}

/** Runs containers' commands, each one once. */
export class Execs {
  readonly #results = new SingleFlight<ExecResult>();
  readonly #limit = pLimit(availableParallelism() + 1);

  constructor(private readonly cx: Context) {}

  /**
   * The result of a command, from the store if it was run before.
   * @param args the whole command line, with entrypoint and default arguments applied
   * @throws ExecFailure, or TgoError ENVIRONMENT without emulation
   */
  async run(container: ContainerState, args: readonly string[], expect: Expectation): Promise<ExecResult> {
    const { store, settings } = this.cx;
    const job = await prepareJob(this.cx, container, args);
    const key = keyOf(["exec", job.key, expect]);
    return this.#results.run(key, async () => {
      const event = { kind: "exec", title: args.join(" "), platform: container.platform } as const;
      const known = await store.readJson<ExecResult>(`s/${key}/step.json`);
      if (known && [known.fs, ...Object.values(known.mounts)].every((fs) => store.isComplete(fs))) {
        settings.onEvent({ ...event, state: "cached" });
        return known;
      }
      // Read again: another process may have been first meanwhile.
      if (store.has(`s/${key}`) && (await store.readJson(`s/${key}/step.json`)) === undefined)
        await store.remove(`s/${key}`);
      const execute = (): Promise<ExecResult> =>
        withEvents(settings.onEvent, event, (onLine) => this.#execute({ key, job, expect, onLine }));
      // A command with services mostly waits for them.
      return container.bindings.length > 0 ? execute() : this.#limit(execute);
    });
  }

  async #execute(step: Step): Promise<ExecResult> {
    const services = await startBindings(step.job.container, (container, args, namespace) =>
      this.#serve(container, args, namespace),
    );
    if (services === undefined)
      return this.cx.networks.use(
        (network) => this.#executeIn(network, step, undefined),
        step.job.container.proxies?.addresses,
      );
    return this.#executeIn(services, step, services.failed).finally(() => services.stop());
  }

  async #executeIn(
    network: NetworkNamespace,
    { key, job, expect, onLine }: Step,
    failed: Promise<never> | undefined,
  ): Promise<ExecResult> {
    const { store, settings } = this.cx;
    return store.withWorkFolder(async (work) => {
      const started = await startJob(this.cx, job, work, network);
      const { signal } = settings;
      const { cmd, exitCode, stdout, stderr } = await collectOutcome(started, { onLine, signal, failed });
      if (exitCode !== 0 && saysDiskFull(stderr)) throw diskFull(stderr);
      if ((expect === "SUCCESS" && exitCode !== 0) || (expect === "FAILURE" && exitCode === 0))
        throw new ExecFailure(cmd, exitCode, stdout, stderr);
      const layer = (name: string, { layers }: Snapshot) => ({ layers: [...layers, `${key}/${name}`] });
      const mounts = started.writable.map(({ path, name, fs }) => [path, layer(name, fs)] as const);
      const fs = layer("fs", job.fs);
      const result: ExecResult = { exitCode, stdout, stderr, fs, mounts: Object.fromEntries(mounts) };
      await store.seal(`${work}/step`);
      await store.writeJson(`${work}/step/step.json`, result);
      await store.keep(`${work}/step`, `s/${key}`);
      return (await store.readJson<ExecResult>(`s/${key}/step.json`)) ?? result;
    });
  }

  /** Runs a service's command until it ends or is stopped; its changes are not kept. */
  async #serve(
    container: ContainerState,
    args: readonly string[],
    network: NetworkNamespace,
  ): Promise<RunningService> {
    const { store, settings } = this.cx;
    const job = await prepareJob(this.cx, container, args);
    const event = { kind: "service", title: args.join(" "), platform: container.platform } as const;
    return new Promise((resolve, reject) => {
      const ended = store.withWorkFolder(async (work) => {
        const started = await startJob(this.cx, job, work, network);
        return withEvents(settings.onEvent, event, (onLine) => {
          const outcome = collectOutcome(started, { onLine, signal: settings.signal, failed: undefined });
          resolve({ ended, sandbox: started.sandbox });
          return outcome;
        });
      });
      ended.catch(reject);
    });
  }
}
