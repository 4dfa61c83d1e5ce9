import { releaseState, type RegistrySnapshot, type ReleasePlan, type TagStep } from "@tgo/release-rules";
import { interruptionOf } from "../publish/service-report.js";
import type { TargetContext } from "../targets/publish-context.js";
import type { Target } from "../targets/target.js";
import type { IndexCache } from "./index-cache.js";
import type { ReleaseLedger } from "./release-ledger.js";
import { writeTag } from "./write-tag.js";

/** Rounds of writing and reading: one for each of the three phases, and more for what other runs write meanwhile. */
const MAX_ROUNDS = 12;

export interface TagWriterOptions {
  readonly context: TargetContext;
  readonly plan: ReleasePlan;
  readonly ledger: ReleaseLedger;
  readonly indexes: IndexCache;
  /** Reads the registries' tags. */
  readonly read: (targets: readonly Target[]) => Promise<readonly RegistrySnapshot[]>;
  /** Waits for milliseconds; for tests. */
  readonly sleep?: (milliseconds: number) => Promise<unknown>;
}

/** Writes the tags of a release plan. */
export class TagWriter {
  constructor(private readonly options: TagWriterOptions) {}

  /**
   * Writes tags and reads all of them back, in turns, until nothing is left to write in these registries.
   * @throws TgoError INTERRUPTED
   */
  async write(targets: readonly Target[]): Promise<void> {
    const { ledger, plan, read } = this.options;
    for (let round = 1; round <= MAX_ROUNDS; round += 1) {
      const { next } = releaseState(ledger.now, plan, ledger.start);
      const steps = next.act === "write" ? next.steps : [];
      const writes = steps.flatMap((step) => {
        const target = targets.find(({ name }) => name === step.registry);
        return target === undefined || ledger.problem(step) !== undefined ? [] : [{ target, step }];
      });
      if (writes.length === 0) return;
      await Promise.all(writes.map(({ target, step }) => this.#write(target, step)));
      ledger.recordSnapshots(await read(targets));
    }
  }

  async #write(target: Target, step: TagStep): Promise<void> {
    const { context, ledger, indexes, sleep } = this.options;
    const names = { step: `tag ${step.tag}`, service: step.service, registry: step.registry };
    try {
      const result = await context.progress.step(names, () =>
        writeTag(target, step, { indexes, ...(sleep === undefined ? {} : { sleep }) }),
      );
      if (result.state === "written") ledger.recordWrite(step);
      else ledger.recordLostRace(step, result.message, result.error);
    } catch (error) {
      const interruption = interruptionOf(context);
      if (interruption !== undefined) throw interruption;
      ledger.recordFailure(step, error);
    }
  }
}
