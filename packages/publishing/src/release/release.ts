import { TgoError } from "@tgo/errors";
import type { Verification } from "@tgo/image";
import {
  nextSteps,
  planRelease,
  type Gate,
  type OpenGate,
  type ReleasePlan,
  type ReleaseState,
  type TagPolicy,
  type Version,
} from "@tgo/release-rules";
import type { ServiceReport } from "@tgo/report";
import { GRACE_PERIOD_MS, OPTIONAL_LIMIT_MS, withinTime } from "../publish/grace-period.js";
import { outOfTime, type PublishOutcome } from "../publish/publish-image.js";
import { interruptionOf } from "../publish/service-report.js";
import type { TargetContext } from "../targets/publish-context.js";
import { splitByRequired } from "../targets/split-by-required.js";
import type { Target } from "../targets/target.js";
import { verifyTag } from "../verify/verify-tag.js";
import { GateInputs } from "./gate-inputs.js";
import { IndexCache } from "./read-tags.js";
import { ReleaseLedger } from "./release-ledger.js";
import { attachRecord, recordOf, type Attachment, type Record } from "./release-record.js";
import { isComplete, releaseReport } from "./release-report.js";
import { TagWriter } from "./tag-writer.js";

/** A service that is part of a release. */
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
  /** Whether moving the floating tags is the purpose of the run: what keeps them is then told with the flag that moves them. */
  readonly promotes?: boolean;
  /** Hash of the pipelines' own code, for the record; without it none is made. */
  readonly pipeline?: string;
  /** Between a write and its reading back, milliseconds; for tests. */
  readonly sleep?: (milliseconds: number) => Promise<unknown>;
}

export interface Released {
  readonly ok: boolean;
  readonly gate: Gate;
  readonly services: readonly ServiceReport[];
  /** Absent when the gate stayed closed. */
  readonly record?: Record;
  /** Why the run was stopped before its end; the rest is what it had done by then. */
  readonly stopped?: TgoError;
}

/**
 * Releases services as one: every candidate is verified in every required registry before the first version tag is
 * written, and every version tag before the first floating one; `latest` comes last. Then each optional registry goes
 * the same way. Nothing is remembered between runs: what the registries hold says what is left to do.
 */
export async function releaseServices(
  context: TargetContext,
  services: readonly ReleaseService[],
  options: ReleaseOptions,
): Promise<Released> {
  const outcomes = await Promise.all(services.map(({ bring }) => bring()));
  return new Run(context, services, outcomes, options).release();
}

/** How many grace periods a failed release gives the candidates of optional registries: a minute in all. */
const GRACE_PERIODS_OF_A_FAILURE = 12;

class Run {
  readonly #indexes = new IndexCache();
  readonly #ledger = new ReleaseLedger();
  readonly #inputs: GateInputs;
  /** By service: the final verification, registry by registry. */
  readonly #verified = new Map<string, Verification[]>();
  /** Once the gate is open. */
  #opened: { readonly gate: OpenGate; readonly plan: ReleasePlan } | undefined;

  constructor(
    private readonly context: TargetContext,
    private readonly services: readonly ReleaseService[],
    private readonly outcomes: readonly PublishOutcome[],
    private readonly options: ReleaseOptions,
  ) {
    const { version } = options;
    this.#inputs = new GateInputs(context, {
      services,
      outcomes,
      version,
      ledger: this.#ledger,
      indexes: this.#indexes,
    });
  }

  async release(): Promise<Released> {
    try {
      const stopped = interruptionOf(this.context);
      return stopped === undefined ? await this.#release() : this.#soFar(stopped);
    } catch (error) {
      const stopped = interruptionOf(this.context);
      if (stopped === undefined) throw error;
      return this.#soFar(stopped);
    }
  }

  async #release(): Promise<Released> {
    const { context, options } = this;
    const { required, optional } = splitByRequired(context);
    const gracePeriodMs = context.gracePeriodMs ?? GRACE_PERIOD_MS;
    // An optional registry may have another image under this version: it gets a grace period to say so.
    const asked = Promise.all(optional.map((target) => this.#inputs.add([target])));
    await Promise.all([this.#inputs.add(required), withinTime(asked, gracePeriodMs)]);
    const gate = this.#inputs.decide();
    if (!gate.open) {
      const limit = GRACE_PERIODS_OF_A_FAILURE * gracePeriodMs;
      await Promise.all(optional.map((target) => this.#bringToOptional(target, limit)));
      return { ok: false, gate, services: this.#inputs.reports().map((report) => notReleased(report)) };
    }
    context.progress.note({ step: "gate" }, `open: ${options.version.text} may be released`);
    const plan = this.#plan(gate);
    this.#opened = { gate, plan };
    await this.#tag(plan, required);
    await allEnded(
      optional.map(async (target) => {
        this.#giveUp(target, await this.#bringToOptional(target, OPTIONAL_LIMIT_MS));
        await this.#inputs.add([target]);
        await this.#tag(plan, [target]);
      }),
    );
    return this.#end(plan, { ...gate, later: this.#inputs.later(required) });
  }

  #plan(gate: OpenGate): ReleasePlan {
    const { version, allowBackwards, adopt } = this.options;
    const policies = Object.fromEntries(this.services.map(({ service, policy }) => [service, policy]));
    const registries = this.#inputs.registries();
    return planRelease({ version, gate, registries, policies, allowBackwards, adopt });
  }

  /** @returns the services whose candidates were neither there nor had failed within the time */
  async #bringToOptional(target: Target, limitMs: number): Promise<readonly string[]> {
    const pending = new Set(this.outcomes.map(({ report: { service } }) => service));
    const bringing = Promise.all(
      this.outcomes.map(async ({ report: { service }, bringToOptional }) => {
        const row = await bringToOptional(target);
        if (pending.delete(service)) this.#inputs.update(service, row);
      }),
    );
    await withinTime(bringing, limitMs);
    const late = [...pending];
    // Whatever comes after the time is over is for the next run to see.
    pending.clear();
    return late;
  }

  /** An optional registry that is out of time: what it has not taken by now is left to the next run. */
  #giveUp(target: Target, services: readonly string[]): void {
    for (const report of this.#inputs.reports())
      if (services.includes(report.service)) this.#inputs.update(report.service, outOfTime(report, target));
  }

  /** Writes these registries' tags, and verifies them. */
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
    await this.#verify(plan, targets);
  }

  /** Every registry's version tag, held against the plan and against each other. */
  async #verify(plan: ReleasePlan, targets: readonly Target[]): Promise<void> {
    const { steps } = nextSteps(this.#ledger.now, plan, this.#ledger.start);
    await Promise.all(
      plan.services.map(async ({ service, digest, tags }) => {
        const reached = targets.filter(({ name }) =>
          steps.some(
            (step) =>
              step.service === service &&
              step.registry === name &&
              step.phase === "version" &&
              step.status.state === "already there",
          ),
        );
        if (reached.length === 0) return;
        const seen = await verifyTag(this.context, service, reached, tags.version, { digest, elf: false });
        this.#verified.set(service, [...(this.#verified.get(service) ?? []), seen]);
      }),
    );
  }

  async #end(plan: ReleasePlan, gate: OpenGate): Promise<Released> {
    const { context, options } = this;
    const ledger = this.#ledger;
    const state = nextSteps(ledger.now, plan, ledger.start);
    const record =
      options.pipeline === undefined
        ? undefined
        : recordOf(context, { plan, state, ledger, verified: this.#verified, pipeline: options.pipeline });
    const released = this.#report(plan, state, []).every((service) => service.state !== "not released");
    const attached =
      record !== undefined && released ? await attachRecord(context, record, this.#indexes) : [];
    const services = this.#report(plan, state, attached);
    const required = new Set(
      context.targets.flatMap(({ name, registry }) => (registry.required ? [name] : [])),
    );
    const isRecorded = attached.every(
      ({ registry, state: kept }) => kept !== "failed" || !required.has(registry),
    );
    const ok = isRecorded && services.every((service) => isComplete(service));
    return { ok, gate, services, ...(record === undefined ? {} : { record }) };
  }

  #report(plan: ReleasePlan, state: ReleaseState, attached: readonly Attachment[]): ServiceReport[] {
    const reports = this.#inputs.reports();
    return plan.services.map((planned) =>
      releaseReport({
        planned,
        report: reports.find(({ service }) => service === planned.service) ?? missing(planned.service),
        state,
        ledger: this.#ledger,
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
      return { ok: false, gate, services: this.#inputs.reports().map(notReleased), stopped };
    }
    const { gate, plan } = this.#opened;
    const state = nextSteps(this.#ledger.now, plan, this.#ledger.start);
    return { ok: false, gate, services: this.#report(plan, state, []), stopped };
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
