import { errorMessage } from "@tgo/builders";
import { innerCause, problemOf, TgoError } from "@tgo/errors";
import type { Verification } from "@tgo/image";
import { defined, type RegistryReport } from "@tgo/report";
import type { TargetContext } from "../targets/publish-context.js";
import type { Target } from "../targets/target.js";
import { rowsOfVerification } from "../verify/verification-rows.js";
import { notStarted } from "./not-started.js";
import { interruptionOf } from "./service-report.js";

/** The registry rows of one service's report, as far as they are known. */
export class RegistryRows {
  readonly #rows: Map<string, RegistryReport>;

  constructor(
    private readonly context: TargetContext,
    private readonly service: string,
    tag: string,
  ) {
    this.#rows = new Map(context.targets.map((target) => [target.name, notStarted(target, service, tag)]));
  }

  /** In the order of the registries. */
  all(): RegistryReport[] {
    return [...this.#rows.values()];
  }

  of(target: Target): RegistryReport {
    return this.#rows.get(target.name) ?? notStarted(target, this.service);
  }

  hasFailed(target: Target): boolean {
    return this.of(target).state === "failed";
  }

  update(target: Target, change: Partial<RegistryReport>): void {
    this.#rows.set(target.name, { ...this.of(target), ...change });
  }

  /** The time spent on a registry before, plus the time since `started`; milliseconds. */
  addTime(target: Target, started: number): number {
    return this.of(target).durationMs + Math.round(performance.now() - started);
  }

  /** @throws TgoError INTERRUPTED: that is no failure of the registry */
  fail(target: Target, error: unknown, started: number): void {
    const interruption = interruptionOf(this.context);
    if (interruption !== undefined) throw interruption;
    const problems = [problemOf(innerCause(error) ?? unexpected(target, error))];
    this.update(target, { state: "failed", problems, durationMs: this.addTime(target, started) });
  }

  /** Adds the result of a verification. A verified registry keeps its state: done, or already there. */
  verified(targets: readonly Target[], tag: string, verification: Verification): void {
    for (const row of rowsOfVerification(targets, this.service, tag, verification)) {
      const target = targets.find(({ name }) => name === row.registry);
      if (target === undefined) continue;
      const before = this.of(target);
      const state = before.state === "not started" ? "done" : before.state;
      this.update(target, {
        ...row,
        state: row.state === "verified" ? state : row.state,
        ...defined({ uploaded: before.uploaded }),
        durationMs: before.durationMs + row.durationMs,
      });
    }
  }
}

function unexpected(target: Target, error: unknown): TgoError {
  return new TgoError("UNAVAILABLE", errorMessage(error), {
    where: target.registry.host,
    remedy:
      "Check that the registry is reachable and that the credentials allow pushing, then run the same command again.",
    cause: error,
  });
}
