import { nextSteps, type RegistrySnapshot, type ReleasePlan, type TagStep } from "@tgo/release-rules";
import { interruptionOf } from "../publish/service-report.js";
import type { TargetContext } from "../targets/publish-context.js";
import type { Target } from "../targets/target.js";
import type { IndexCache } from "./read-tags.js";
import type { ReleaseLedger } from "./release-ledger.js";
import { writeTag } from "./write-tag.js";

/** Rounds of writing and reading: three phases, and as many again for what others write meanwhile. */
const ROUNDS = 12;

export interface TagWriterOptions {
  readonly context: TargetContext;
  readonly plan: ReleasePlan;
  readonly ledger: ReleaseLedger;
  readonly indexes: IndexCache;
  /** Reads the registries' tags. */
  readonly read: (targets: readonly Target[]) => Promise<readonly RegistrySnapshot[]>;
  /** Waits, in milliseconds. */
  readonly sleep?: (milliseconds: number) => Promise<unknown>;
}

/** Writes the tags of a release's plan. */
export class TagWriter {
  constructor(private readonly options: TagWriterOptions) {}

  /**
   * Writes tags and reads them back in turn, until nothing more can be written in these registries.
   * @throws TgoError INTERRUPTED
   */
  async write(targets: readonly Target[]): Promise<void> {
    const { ledger, plan, read } = this.options;
    for (let round = 1; round <= ROUNDS; round += 1) {
      const { next } = nextSteps(ledger.now, plan, ledger.start);
      const steps = next.act === "write" ? next.steps : [];
      const open = steps.flatMap((step) => {
        const target = targets.find(({ name }) => name === step.registry);
        return target === undefined || ledger.problem(step) !== undefined ? [] : [{ target, step }];
      });
      if (open.length === 0) return;
      await Promise.all(open.map(({ target, step }) => this.#write(target, step)));
      ledger.see(await read(targets));
    }
  }

  async #write(target: Target, step: TagStep): Promise<void> {
    const { context, ledger, indexes, sleep } = this.options;
    const names = { step: `tag ${step.tag}`, service: step.service, registry: step.registry };
    try {
      const written = await context.progress.step(names, () =>
        writeTag(target, step, { indexes, ...(sleep === undefined ? {} : { sleep }) }),
      );
      if (written.state === "done") ledger.wrote(step);
      else ledger.lost(step, written.told, written.error);
    } catch (error) {
      const stopped = interruptionOf(context);
      if (stopped !== undefined) throw stopped;
      ledger.failed(step, error);
    }
  }
}
