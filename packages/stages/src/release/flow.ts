import { TgoError } from "@tgo/errors";
import type { Verification } from "@tgo/oci";
import {
  decideGate,
  nextSteps,
  planRelease,
  planTags,
  sightOf,
  versionsOf,
  type Gate,
  type GateEntry,
  type GateReason,
  type OpenGate,
  type ReleasePlan,
  type ReleaseRegistry,
  type Sight,
  type TagPolicy,
  type Version,
} from "@tgo/release";
import type { RegistryReport, ServiceReport } from "@tgo/report";
import { interrupted } from "../attempt.js";
import { divide, type Brought } from "../brought.js";
import type { Target } from "../context.js";
import type { Destination } from "../destination.js";
import { PATIENCE_MS, within } from "../patience.js";
import { verifyTag } from "../verify.js";
import { Board } from "./board.js";
import { gateEntry } from "./entries.js";
import { Indexes, lookEverywhere, type Wanted } from "./look.js";
import { attachRecord, recordOf, type Attachment, type Record } from "./record.js";
import { isComplete, serviceReport } from "./release-rows.js";
import { follow, Pace, type Writing } from "./track.js";

/** A service that takes part in a release. */
export interface Entrant {
  readonly service: string;
  readonly policy: TagPolicy;
  /** Sees to it that every registry has the image; never throws for its own failure. */
  readonly bring: () => Promise<Brought>;
}

export interface ReleaseOptions {
  readonly version: Version;
  readonly allowBackwards: boolean;
  readonly adopt: boolean;
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
}

/**
 * Releases services as one: every candidate is verified in every required registry before the first version tag is
 * written, and every version tag before the first floating one; `latest` comes last. A registry that is not required
 * goes the same way at its own pace, behind them. Nothing is remembered between runs: what the registries hold says
 * what is left to do.
 */
export async function releaseServices(
  context: Destination,
  entrants: readonly Entrant[],
  options: ReleaseOptions,
): Promise<Released> {
  const brought = await Promise.all(entrants.map(({ bring }) => bring()));
  const stopped = interrupted(context);
  if (stopped !== undefined) throw stopped;
  return new Run(context, entrants, brought, options).release();
}

/** A registry that nobody waits for is given up after this time, in milliseconds: what its clients have for everything. */
const LONGEST_MS = 30 * 60_000;

class Run {
  readonly #indexes = new Indexes();
  readonly #board = new Board();
  /** By `registry service`: how the candidate was brought there, as far as that is known. */
  readonly #rows = new Map<string, RegistryReport>();
  /** By `registry service`: why nothing can be tagged there in this run. */
  readonly #excluded = new Map<string, string>();
  /** What the gate was told, and what it would have been told of those who came later. */
  readonly #entries: GateEntry[] = [];
  /** By service: what the end saw, registry by registry. */
  readonly #verified = new Map<string, Verification[]>();

  constructor(
    private readonly context: Destination,
    private readonly entrants: readonly Entrant[],
    private readonly brought: readonly Brought[],
    private readonly options: ReleaseOptions,
  ) {
    for (const { service, registries } of brought)
      for (const row of registries) this.#rows.set(`${row.registry} ${service}`, row);
  }

  async release(): Promise<Released> {
    const { context, options } = this;
    const { needed, others } = divide(context);
    const arrivals = others.map((target) => this.#arrive(target));
    // Who is a little slower than the others still has a say: it may hold another image under this version.
    const late = Promise.all(arrivals);
    await Promise.all([this.#enter(needed), within(late, context.patienceMs ?? PATIENCE_MS)]);
    const gate = this.#decide();
    if (!gate.open) {
      await late;
      return { ok: false, gate, services: this.#reports().map((report) => notReleased(report)) };
    }
    context.progress.note({ step: "gate" }, `open: ${options.version.text} may be released`);
    const plan = this.#plan(gate);
    const pace = new Pace();
    await allEnded([
      this.#go(plan, needed, { pace }),
      ...others.map(async (target, index) => {
        await arrivals[index];
        await this.#go(plan, [target], { behind: pace });
      }),
    ]);
    return this.#end(plan, { ...gate, later: this.#later(needed) });
  }

  /** A registry that is not waited for, when its candidates are brought or have failed. */
  async #arrive(target: Target): Promise<void> {
    const rows = this.brought.flatMap(({ service, late }) => {
      const row = late?.get(target.name);
      return row === undefined
        ? []
        : [row.then((known) => this.#rows.set(`${target.name} ${service}`, known))];
    });
    if (!(await within(Promise.all(rows), LONGEST_MS))) {
      for (const { service } of this.brought) this.#giveUp(target, service);
    }
    await this.#enter([target]);
  }

  #giveUp(target: Target, service: string): void {
    const row = this.#rows.get(`${target.name} ${service}`);
    if (row === undefined || row.state === "failed") return;
    const what = `it had not taken the candidate after ${LONGEST_MS / 60_000} min, and is waited for no longer`;
    const problem = { code: "UNAVAILABLE", what, remedy: "Run the same command again." } as const;
    this.#rows.set(`${target.name} ${service}`, { ...row, state: "failed", problems: [problem] });
  }

  /** First look at registries whose candidates are brought, and what the gate is to know of them. */
  async #enter(targets: readonly Target[]): Promise<void> {
    const [silent, answering] = partition(targets, (target) =>
      this.brought.every(({ service }) => this.#rows.get(`${target.name} ${service}`)?.state === "failed"),
    );
    // Not one candidate could be brought: asking for tags would only take its time once more.
    const unseen = silent.flatMap((target) =>
      this.brought.map(({ service }): Sight => {
        const why = this.#rows.get(`${target.name} ${service}`)?.problems[0]?.what ?? "it was not asked";
        return { service, registry: target.name, held: { state: "unreachable", why } };
      }),
    );
    const [seen] = await Promise.all([this.#look(answering), this.#readIndexes(answering)]);
    this.#board.see([...unseen, ...seen]);
    const entries = await Promise.all(
      targets.flatMap((target) =>
        this.brought.map((report) =>
          gateEntry(target, {
            report,
            row: this.#rows.get(`${target.name} ${report.service}`),
            version: this.options.version,
            sights: this.#board.now,
            indexes: this.#indexes,
          }),
        ),
      ),
    );
    this.#entries.push(...entries);
  }

  /** Each index once, while the tags are looked at; who cannot read one hears of it when it is needed. */
  async #readIndexes(targets: readonly Target[]): Promise<void> {
    await Promise.allSettled(
      targets.flatMap((target) =>
        this.brought.map(async ({ service }) => {
          const digest = this.#rows.get(`${target.name} ${service}`)?.digest;
          if (digest !== undefined) await this.#indexes.read(target, service, digest);
        }),
      ),
    );
  }

  #decide(): Gate {
    const { version } = this.options;
    const services = this.entrants.map(({ service }) => service);
    return decideGate({ version, services, registries: this.#registries(), entries: this.#entries });
  }

  #registries(): ReleaseRegistry[] {
    return this.context.targets.map(({ name, registry }) => ({
      registry: name,
      required: registry.required,
    }));
  }

  /** What is left in registries that are not waited for, with all that is known of them by now. */
  #later(needed: readonly Target[]): readonly GateReason[] {
    const gate = this.#decide();
    const reasons = [...(gate.open ? [] : gate.reasons), ...gate.later];
    const waits = needed.some(({ registry }) => registry.required);
    return reasons.filter(({ registry }) => !waits || !needed.some(({ name }) => name === registry));
  }

  #plan(gate: OpenGate): ReleasePlan {
    const { version, allowBackwards, adopt } = this.options;
    const policies = Object.fromEntries(this.entrants.map(({ service, policy }) => [service, policy]));
    return planRelease({ version, gate, registries: this.#registries(), policies, allowBackwards, adopt });
  }

  /** Tags and verifies these registries; where it goes on behind others, as far as they are. */
  async #go(
    plan: ReleasePlan,
    targets: readonly Target[],
    { pace, behind }: { readonly pace?: Pace; readonly behind?: Pace },
  ): Promise<void> {
    this.#exclude(targets);
    const { context } = this;
    const { sleep } = this.options;
    const writing: Writing = { context, plan, board: this.#board, indexes: this.#indexes, sleep };
    try {
      const track = { targets, look: () => this.#look(targets), others: behind };
      await follow(writing, track, () => pace?.tell());
    } finally {
      pace?.end();
    }
    await this.#verify(plan, targets);
  }

  /** An image that did not pass is not tagged, in whatever registry. */
  #exclude(targets: readonly Target[]): void {
    const gate = this.#decide();
    for (const { kind, service, registry, what } of [...(gate.open ? [] : gate.reasons), ...gate.later]) {
      if (service === undefined || !targets.some(({ name }) => name === registry)) continue;
      if (OF_THE_CANDIDATE.has(kind)) this.#excluded.set(`${registry ?? ""} ${service}`, what);
    }
    this.#board.see(this.#board.now.map((sight) => this.#withoutExcluded(sight)));
  }

  #withoutExcluded(sight: Sight): Sight {
    const why = this.#excluded.get(`${sight.registry} ${sight.service}`);
    return why === undefined ? sight : { ...sight, held: { state: "unreachable", why } };
  }

  async #look(targets: readonly Target[]): Promise<Sight[]> {
    const sights = await lookEverywhere({ ...this.context, targets }, this.#wanted(), this.#indexes);
    return sights.map((sight) => this.#withoutExcluded(this.#withCandidate(sight)));
  }

  /** What was brought is there, and was verified there: it need not be asked for again. */
  #withCandidate(sight: Sight): Sight {
    const { service, registry, held } = sight;
    const row = this.#rows.get(`${registry} ${service}`);
    const tag = this.brought.find((one) => one.service === service)?.tag;
    if (held.state !== "seen" || row?.digest === undefined || tag === undefined || held.tags.has(tag))
      return sight;
    if (row.state === "failed" || row.state === "not started") return sight;
    const candidate = { digest: row.digest, version: undefined };
    return { service, registry, held: { state: "seen", tags: new Map([...held.tags, [tag, candidate]]) } };
  }

  #wanted(): Wanted[] {
    const { version } = this.options;
    return this.entrants.map(({ service, policy }) => {
      const tags = planTags(version, policy);
      const known = (registry: string): ReadonlySet<string> | undefined => {
        const sight = sightOf(this.#board.start, service, registry);
        if (sight.state !== "seen") return undefined;
        return new Set(versionsOf(sight.tags, service).map(({ text }) => text));
      };
      return { service, tags: [tags.version, ...tags.floating], known };
    });
  }

  /** Every registry's version tag, held against the plan and against each other. */
  async #verify(plan: ReleasePlan, targets: readonly Target[]): Promise<void> {
    const { steps } = nextSteps(this.#board.now, plan, this.#board.start);
    await Promise.all(
      plan.services.map(async ({ service, digest, tags }) => {
        const there = steps.filter((step) => {
          return (
            step.service === service && step.phase === "version" && step.standing.state === "already there"
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
      plan.services.map((planned) =>
        serviceReport({
          planned,
          report:
            this.#reports().find(({ service }) => service === planned.service) ?? missing(planned.service),
          progress,
          board,
          targets: context.targets,
          verified: (this.#verified.get(planned.service) ?? []).flatMap(({ targets }) => targets),
          attached,
        }),
      );
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

  #reports(): ServiceReport[] {
    return this.brought.map((report) => ({
      ...report,
      late: undefined,
      registries: report.registries.map((row) => this.#rows.get(`${row.registry} ${report.service}`) ?? row),
    }));
  }
}

const OF_THE_CANDIDATE: ReadonlySet<GateReason["kind"]> = new Set([
  "candidate missing",
  "candidate failed",
  "candidate refused",
  "digests differ",
]);

/** All of them, though one fails: none goes on unseen. */
async function allEnded(works: readonly Promise<unknown>[]): Promise<void> {
  for (const ended of await Promise.allSettled(works)) if (ended.status === "rejected") throw ended.reason;
}

function partition<T>(all: readonly T[], matches: (one: T) => boolean): [yes: T[], no: T[]] {
  return [all.filter(matches), all.filter((one) => !matches(one))];
}

/** The gate is closed: whatever was brought stays a candidate. */
function notReleased(report: ServiceReport): ServiceReport {
  return { ...report, state: report.state === "failed" ? "failed" : "not released" };
}

function missing(service: string): ServiceReport {
  throw new TgoError("INTERNAL", `${service} is in the plan and was never brought`);
}
