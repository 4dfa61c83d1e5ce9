import { nextSteps, type ReleasePlan, type RegistrySnapshot, type TagStep } from "@tgo/release-rules";
import { interrupted } from "../publish/attempt.js";
import type { Target } from "../targets/target.js";
import type { TargetContext } from "../targets/publish-context.js";
import { promised } from "../publish/grace-period.js";
import type { ReleaseLedger } from "./release-ledger.js";
import type { IndexCache } from "./read-tags.js";
import { writeTag } from "./write-tag.js";

/** Rounds of look and write: three phases, and as many again for what others do meanwhile. */
const ROUNDS = 12;

/** Registries whose tags are written together: those that a release waits for, or one that it does not. */
export interface Track {
  readonly targets: readonly Target[];
  readonly look: () => Promise<readonly RegistrySnapshot[]>;
  /** What is further on in other tracks, and may let this one go on; none for the one that waits for nobody. */
  readonly others?: Pace | undefined;
}

/** Tells those who wait whenever something has happened, and at last that nothing more will. */
export class Pace {
  #next = promised<boolean>();
  #ended = false;

  /** Whether something happened after this was called; false when nothing more will. */
  step(): Promise<boolean> {
    return this.#ended ? Promise.resolve(false) : this.#next.promise;
  }

  tell(): void {
    const told = this.#next;
    this.#next = promised<boolean>();
    told.keep(true);
  }

  end(): void {
    this.#ended = true;
    this.#next.keep(true);
  }
}

export interface Writing {
  readonly context: TargetContext;
  readonly plan: ReleasePlan;
  readonly board: ReleaseLedger;
  readonly indexes: IndexCache;
  readonly sleep?: ((milliseconds: number) => Promise<unknown>) | undefined;
}

/**
 * Writes and looks in turn until nothing more can be written in these registries.
 * @param told after every round
 * @throws TgoError INTERRUPTED
 */
export async function follow(
  writing: Writing,
  track: Track,
  told: () => void = () => undefined,
): Promise<void> {
  const { board, plan } = writing;
  for (let round = 1; round <= ROUNDS;) {
    const more = track.others?.step();
    const { next } = nextSteps(board.now, plan, board.start);
    const steps = next.act === "write" ? next.steps.filter((step) => isOpen(writing, track, step)) : [];
    if (steps.length === 0) {
      if ((await more) !== true) return;
      continue;
    }
    await Promise.all(steps.map((step) => write(writing, track, step)));
    board.see(await track.look());
    told();
    round += 1;
  }
}

function isOpen({ board }: Writing, { targets }: Track, step: TagStep): boolean {
  return targets.some(({ name }) => name === step.registry) && board.problem(step) === undefined;
}

async function write(
  { context, board, indexes, sleep }: Writing,
  track: Track,
  step: TagStep,
): Promise<void> {
  const target = track.targets.find(({ name }) => name === step.registry);
  if (target === undefined) return;
  const names = { step: `tag ${step.tag}`, service: step.service, registry: step.registry };
  try {
    const written = await context.progress.step(names, () =>
      writeTag(target, step, { indexes, ...(sleep === undefined ? {} : { sleep }) }),
    );
    if (written.state === "done") board.wrote(step);
    else board.lost(step, written.told, written.error);
  } catch (error) {
    const stopped = interrupted(context);
    if (stopped !== undefined) throw stopped;
    board.failed(step, error);
  }
}
