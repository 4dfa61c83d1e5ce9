import { isTgoError, TgoError, problemOf } from "@tgo/errors";
import type { Verification } from "@tgo/image";
import { defined, type RegistryReport } from "@tgo/report";
import { interruptionOf } from "./service-report.js";
import type { Target } from "../targets/target.js";
import type { TargetContext } from "../targets/publish-context.js";
import { errorMessage } from "@tgo/builders";
import { notStarted } from "./not-started.js";
import { registryRows } from "../verify/verify-tag.js";

/** What is known so far of one service in every registry: the rows of its report. */
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

  /** Adds to the time that was spent on a registry. */
  spent(target: Target, started: number): number {
    return this.of(target).durationMs + Math.round(performance.now() - started);
  }

  /** @throws TgoError INTERRUPTED: that is no registry's fault */
  fail(target: Target, error: unknown, started: number): void {
    const stopped = interruptionOf(this.context);
    if (stopped !== undefined) throw stopped;
    const problems = [problemOf(isTgoError(error) ? error : unexpected(target, error))];
    this.update(target, { state: "failed", problems, durationMs: this.spent(target, started) });
  }

  /** What a verification saw. A registry that passed stays what it was before: done, or already there. */
  verified(targets: readonly Target[], tag: string, verification: Verification): void {
    for (const row of registryRows(targets, this.service, tag, verification)) {
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
      "Check that the registry answers and that the credentials may push, then run the same command again.",
    cause: error,
  });
}
