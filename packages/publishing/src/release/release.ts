import { TgoError } from "@tgo/errors";
import type { Verification } from "@tgo/image";
import {
  nextSteps,
  planRelease,
  type Gate,
  type OpenGate,
  type ReleaseState,
  type ReleasePlan,
  type TagPolicy,
  type Version,
} from "@tgo/release-rules";
import type { ServiceReport } from "@tgo/report";
import { interrupted } from "../publish/attempt.js";
import { splitByRequired, type PublishOutcome } from "../publish/publish-outcome.js";
import type { Target } from "../targets/target.js";
import type { TargetContext } from "../targets/publish-context.js";
import { GRACE_PERIOD_MS, within } from "../publish/grace-period.js";
import { verifyTag } from "../verify/verify-tag.js";
import { ReleaseLedger } from "./release-ledger.js";
import { GateInputs } from "./gate-inputs.js";
import { IndexCache } from "./read-tags.js";
import { attachRecord, recordOf, type Attachment, type Record } from "./release-record.js";
import { isComplete, releaseReport } from "./release-report.js";
import { follow, Pace, type Writing } from "./tag-writer.js";

/** A service that takes part in a release. */
export interface ReleaseService {
  readonly service: string;
  readonly policy: TagPolicy;
  /** Sees to it that every registry has the image; never throws for its own failure. */
  readonly bring: () => Promise<PublishOutcome>;
}

export interface ReleaseOptions {
  readonly version: Version;
  readonly allowBackwards: boolean;
  readonly adopt: boolean;
  /** Whether moving the floating tags is what the run is for: what keeps them is told with the way to move them. */
  readonly promotes?: boolean | undefined;
  /** Hash of the pipelines' own code, for the record; without it none is made. */
  readonly pipeline?: string | undefined;
  /** Between a write and its reading back, milliseconds; for tests. */
  readonly sleep?: ((milliseconds: number) => Promise<unknown>) | undefined;
}

export interface Released {
  readonly ok: boolean;
  readonly gate: Gate;
  readonly services: readonly ServiceReport[];
  /** Absent when the gate stayed closed. */
  readonly record?: Record | undefined;
  /** Why the run was stopped before its end; the rest is what it had done by then. */
  readonly stopped?: TgoError | undefined;
}

/**
 * Releases services as one: every candidate is verified in every required registry before the first version tag is
 * written, and every version tag before the first floating one; `latest` comes last. A registry that is not required
 * goes the same way at its own pace, behind them. Nothing is remembered between runs: what the registries hold says
 * what is left to do.
 */
export async function releaseServices(
  context: TargetContext,
  entrants: readonly ReleaseService[],
  options: ReleaseOptions,
): Promise<Released> {
  const brought = await Promise.all(entrants.map(({ bring }) => bring()));
  return new Run(context, entrants, brought, options).release();
}

/** How many times the usual patience a failed release waits for candidates that nobody waits for: a minute in all. */
const LINGERS = 12;

class Run {
  readonly #indexes = new IndexCache();
  readonly #board = new ReleaseLedger();
  readonly #gathering: GateInputs;
  /** By service: what the end saw, registry by registry. */
  readonly #verified = new Map<string, Verification[]>();
  /** Once the gate is open. */
  #opened: { readonly gate: OpenGate; readonly plan: ReleasePlan } | undefined;

  constructor(
    private readonly context: TargetContext,
    private readonly entrants: readonly ReleaseService[],
    brought: readonly PublishOutcome[],
    private readonly options: ReleaseOptions,
  ) {
    const { version } = options;
    this.#gathering = new GateInputs(context, entrants, brought, version, this.#board, this.#indexes);
  }

  async release(): Promise<Released> {
    try {
      const stopped = interrupted(this.context);
      return stopped === undefined ? await this.#release() : this.#soFar(stopped);
    } catch (error) {
      const stopped = interrupted(this.context);
      if (stopped === undefined) throw error;
      return this.#soFar(stopped);
    }
  }

  async #release(): Promise<Released> {
    const { context, options } = this;
    const { needed, others } = splitByRequired(context);
    const arrivals = others.map((target) => this.#gathering.arrive(target));
    // Who is a little slower than the others still has a say: it may hold another image under this version.
    const late = Promise.all(arrivals);
    const patience = context.gracePeriodMs ?? GRACE_PERIOD_MS;
    await Promise.all([this.#gathering.enter(needed), within(late, patience)]);
    const gate = this.#gathering.decide();
    if (!gate.open) {
      // Their candidates may be nearly there; but whoever has to mend something should hear of it now.
      await within(late, LINGERS * patience);
      return { ok: false, gate, services: this.#gathering.reports().map((report) => notReleased(report)) };
    }
    context.progress.note({ step: "gate" }, `open: ${options.version.text} may be released`);
    const plan = this.#plan(gate);
    this.#opened = { gate, plan };
    const pace = new Pace();
    await allEnded([
      this.#go(plan, needed, { pace }),
      ...others.map(async (target, index) => {
        await arrivals[index];
        await this.#go(plan, [target], { behind: pace });
      }),
    ]);
    return this.#end(plan, { ...gate, later: this.#gathering.later(needed) });
  }

  #plan(gate: OpenGate): ReleasePlan {
    const { version, allowBackwards, adopt } = this.options;
    const policies = Object.fromEntries(this.entrants.map(({ service, policy }) => [service, policy]));
    return planRelease({
      version,
      gate,
      registries: this.#gathering.registries(),
      policies,
      allowBackwards,
      adopt,
    });
  }

  /** Tags and verifies these registries; where it goes on behind others, as far as they are. */
  async #go(
    plan: ReleasePlan,
    targets: readonly Target[],
    { pace, behind }: { readonly pace?: Pace; readonly behind?: Pace },
  ): Promise<void> {
    this.#gathering.exclude(targets);
    const { context } = this;
    const { sleep } = this.options;
    const writing: Writing = { context, plan, board: this.#board, indexes: this.#indexes, sleep };
    try {
      const track = { targets, look: () => this.#gathering.look(targets), others: behind };
      await follow(writing, track, () => pace?.tell());
    } finally {
      pace?.end();
    }
    await this.#verify(plan, targets);
  }

  /** Every registry's version tag, held against the plan and against each other. */
  async #verify(plan: ReleasePlan, targets: readonly Target[]): Promise<void> {
    const { steps } = nextSteps(this.#board.now, plan, this.#board.start);
    await Promise.all(
      plan.services.map(async ({ service, digest, tags }) => {
        const there = steps.filter((step) => {
          return (
            step.service === service && step.phase === "version" && step.status.state === "already there"
          );
        });
        const reached = targets.filter(({ name }) => there.some(({ registry }) => registry === name));
        if (reached.length === 0) return;
        const options = { digest, elf: false };
        const seen = await verifyTag(this.context, service, reached, tags.version, options);
        this.#verified.set(service, [...(this.#verified.get(service) ?? []), seen]);
      }),
    );
  }

  async #end(plan: ReleasePlan, gate: OpenGate): Promise<Released> {
    const { context, options } = this;
    const board = this.#board;
    const progress = nextSteps(board.now, plan, board.start);
    const report = (attached: readonly Attachment[]): ServiceReport[] =>
      this.#report(plan, progress, attached);
    const record =
      options.pipeline === undefined
        ? undefined
        : recordOf(context, { plan, progress, board, verified: this.#verified, pipeline: options.pipeline });
    const released = report([]).every(({ state }) => state !== "not released");
    const attached =
      record !== undefined && released ? await attachRecord(context, record, this.#indexes) : [];
    const services = report(attached);
    const kept = attached.every(({ registry, state }) => {
      const required = context.targets.some((target) => target.name === registry && target.registry.required);
      return state !== "failed" || !required;
    });
    return { ok: kept && services.every((service) => isComplete(service)), gate, services, record };
  }

  #report(plan: ReleasePlan, progress: ReleaseState, attached: readonly Attachment[]): ServiceReport[] {
    return plan.services.map((planned) =>
      releaseReport({
        planned,
        report:
          this.#gathering.reports().find(({ service }) => service === planned.service) ??
          missing(planned.service),
        progress,
        board: this.#board,
        targets: this.context.targets,
        verified: (this.#verified.get(planned.service) ?? []).flatMap(({ targets }) => targets),
        attached,
        promotes: this.options.promotes ?? false,
      }),
    );
  }

  /** What a run that was stopped has done: no registry is asked any more. */
  #soFar(stopped: TgoError): Released {
    if (this.#opened === undefined) {
      const gate = { open: false, reasons: [], later: [] } as const;
      return { ok: false, gate, services: this.#gathering.reports().map(notReleased), stopped };
    }
    const { gate, plan } = this.#opened;
    const progress = nextSteps(this.#board.now, plan, this.#board.start);
    return { ok: false, gate, services: this.#report(plan, progress, []), stopped };
  }
}

/** All of them, though one fails: none goes on unseen. */
async function allEnded(works: readonly Promise<unknown>[]): Promise<void> {
  for (const ended of await Promise.allSettled(works)) if (ended.status === "rejected") throw ended.reason;
}

/** The gate is closed: whatever was brought stays a candidate. */
function notReleased(report: ServiceReport): ServiceReport {
  return { ...report, state: report.state === "failed" ? "failed" : "not released" };
}

function missing(service: string): ServiceReport {
  throw new TgoError("INTERNAL", `${service} is in the plan and was never brought`);
}
