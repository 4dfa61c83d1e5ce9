import {
  isSettled,
  releaseState,
  planRelease,
  type OpenGate,
  type ReleasePlan,
  type TagPolicy,
  type Version,
} from "@tgo/release-rules";
import { givenUp } from "../publish/given-up.js";
import type { PublishOutcome } from "../publish/bring-image.js";
import { interruptionOf } from "../publish/service-report.js";
import { GRACE_PERIOD_MS, OPTIONAL_LIMIT_MS, withinTime } from "../publish/time-limits.js";
import type { TargetContext } from "../targets/publish-context.js";
import { splitByRequired } from "../targets/split-by-required.js";
import type { Target } from "../targets/target.js";
import { GateInputs } from "./gate-inputs.js";
import { IndexCache } from "./index-cache.js";
import { ReleaseLedger } from "./release-ledger.js";
import { ReleaseResult, type Released } from "./release-result.js";
import { TagWriter } from "./tag-writer.js";

/** A service of a release. */
export interface ReleaseService {
  readonly service: string;
  readonly policy: TagPolicy;
  /** Brings its image to the required registries; never throws for its own failure. */
  readonly bring: () => Promise<PublishOutcome>;
}

export interface ReleaseOptions {
  readonly version: Version;
  readonly allowBackwards: boolean;
  readonly adopt: boolean;
  /** Moving the floating tags is the purpose of the run: one that stays on a newer version is a problem, with the flag that moves it. */
  readonly promotes?: boolean;
  /** Hash of the pipelines' own code, for the record; without it there is no record. */
  readonly pipeline?: string;
  /** Waits between a write and its confirmation, for milliseconds; for tests. */
  readonly sleep?: (milliseconds: number) => Promise<unknown>;
}

/**
 * Releases services together: every candidate is verified in every required registry before the first version tag is
 * written, and every version tag before the first floating one; `latest` comes last. Each optional registry follows in
 * the same order. Nothing is stored between runs: what is left to do follows from the registries' contents.
 */
export async function releaseServices(
  context: TargetContext,
  services: readonly ReleaseService[],
  options: ReleaseOptions,
): Promise<Released> {
  const outcomes = await Promise.all(services.map(({ bring }) => bring()));
  return new Run(context, services, outcomes, options).release();
}

/** If the gate stays closed, optional registries get this many grace periods for their candidates: one minute. */
const GRACE_PERIODS_IF_CLOSED = 12;

class Run {
  readonly #indexes = new IndexCache();
  readonly #ledger = new ReleaseLedger();
  readonly #inputs: GateInputs;
  readonly #result: ReleaseResult;
  /** Optional registries that ran out of time: what they still do is left to the next run. */
  readonly #givenUp = new Set<Target>();
  /** Set once the gate is open. */
  #opened: { readonly gate: OpenGate; readonly plan: ReleasePlan } | undefined;

  constructor(
    private readonly context: TargetContext,
    private readonly services: readonly ReleaseService[],
    private readonly outcomes: readonly PublishOutcome[],
    private readonly options: ReleaseOptions,
  ) {
    const { version, promotes = false, pipeline } = options;
    const ledger = this.#ledger;
    const indexes = this.#indexes;
    const inputs = new GateInputs(context, { services, outcomes, version, ledger, indexes });
    this.#inputs = inputs;
    this.#result = new ReleaseResult(context, { ledger, indexes, inputs, promotes, pipeline });
  }

  async release(): Promise<Released> {
    const interruption = interruptionOf(this.context);
    if (interruption !== undefined) return this.#result.interrupted(interruption, undefined);
    try {
      return await this.#release();
    } catch (error) {
      const stop = interruptionOf(this.context);
      if (stop === undefined) throw error;
      return this.#result.interrupted(stop, this.#opened);
    }
  }

  async #release(): Promise<Released> {
    const { context, options } = this;
    const { required, optional } = splitByRequired(context);
    const gracePeriodMs = context.gracePeriodMs ?? GRACE_PERIOD_MS;
    // Another image under this version in an optional registry closes the gate too, if it is read in time.
    const asked = Promise.all(optional.map((target) => this.#inputs.add([target])));
    await Promise.all([this.#inputs.add(required), withinTime(asked, gracePeriodMs)]);
    const gate = this.#inputs.decide();
    if (!gate.open) {
      const limitMs = GRACE_PERIODS_IF_CLOSED * gracePeriodMs;
      await Promise.all(optional.map((target) => withinTime(this.#bringToOptional(target), limitMs)));
      return this.#result.closed(gate);
    }
    context.progress.note({ step: "gate" }, `open: ${options.version.text} may be released`);
    const plan = this.#plan(gate);
    this.#opened = { gate, plan };
    await this.#tag(plan, required);
    await allSettled(optional.map((target) => this.#releaseToOptional(plan, target)));
    return this.#result.complete(plan, { ...gate, later: this.#inputs.later(required) });
  }

  #plan(gate: OpenGate): ReleasePlan {
    const { version, allowBackwards, adopt } = this.options;
    const policies = Object.fromEntries(this.services.map(({ service, policy }) => [service, policy]));
    const registries = this.#inputs.registries();
    return planRelease({ version, gate, registries, policies, allowBackwards, adopt });
  }

  /** Candidates and tags of one optional registry, within its time limit. */
  async #releaseToOptional(plan: ReleasePlan, target: Target): Promise<void> {
    const limitMs = this.context.optionalLimitMs ?? OPTIONAL_LIMIT_MS;
    const work = async (): Promise<true> => {
      await this.#bringToOptional(target);
      if (this.#givenUp.has(target)) return true;
      await this.#inputs.add([target]);
      if (!this.#givenUp.has(target)) await this.#tag(plan, [target]);
      return true;
    };
    const isDone = await withinTime(work(), limitMs);
    if (isDone !== true) await this.#giveUp(plan, target, limitMs);
  }

  async #bringToOptional(target: Target): Promise<void> {
    await Promise.all(
      this.outcomes.map(async ({ report: { service }, bringToOptional }) => {
        const row = await bringToOptional(target);
        if (!this.#givenUp.has(target)) this.#inputs.update(service, row);
      }),
    );
  }

  async #giveUp(plan: ReleasePlan, target: Target, limitMs: number): Promise<void> {
    this.#givenUp.add(target);
    const { steps } = releaseState(this.#ledger.now, plan, this.#ledger.start);
    for (const report of this.#inputs.reports()) {
      const row = report.registries.find(({ registry }) => registry === target.name);
      if (row?.state === "failed") continue;
      const hasCandidate = row?.state === "done" || row?.state === "already there";
      const own = steps.filter((step) => step.registry === target.name && step.service === report.service);
      if (hasCandidate && own.every(isSettled)) continue;
      const missing = hasCandidate ? "all tags" : "the candidate";
      await this.#inputs.fail(target, report, givenUp(report, target, { missing, limitMs }));
    }
  }

  /** Writes the tags in these registries, and verifies them. */
  async #tag(plan: ReleasePlan, targets: readonly Target[]): Promise<void> {
    this.#inputs.exclude(targets);
    const { context, options } = this;
    const writer = new TagWriter({
      context,
      plan,
      ledger: this.#ledger,
      indexes: this.#indexes,
      read: (of) => this.#inputs.read(of),
      ...(options.sleep === undefined ? {} : { sleep: options.sleep }),
    });
    await writer.write(targets);
    await this.#result.verify(plan, targets);
  }
}

/** Waits for all, even if one fails, and then throws the first error. */
async function allSettled(work: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === "rejected") throw result.reason;
}
