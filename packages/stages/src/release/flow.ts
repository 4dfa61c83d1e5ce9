import { isTgoError, TgoError } from "@tgo/errors";
import {
  decideGate,
  heldVersion,
  nextSteps,
  planRelease,
  planTags,
  type Gate,
  type GateEntry,
  type Progress,
  type ReleasePlan,
  type Sight,
  type Step,
  type TagPolicy,
  type Version,
} from "@tgo/release";
import { problemOf, type Problem, type ServiceReport, type TagReport } from "@tgo/report";
import { interrupted } from "../attempt.js";
import type { Target } from "../context.js";
import type { Destination } from "../destination.js";
import { messageOf } from "../exec-error.js";
import { verifyTag } from "../verify.js";
import { Indexes, lookEverywhere, type Wanted } from "./look.js";
import { writeTag } from "./write.js";

/** A service that takes part in a release. */
export interface Entrant {
  readonly service: string;
  readonly policy: TagPolicy;
  /** Sees to it that every registry has the image; never throws for its own failure. */
  readonly bring: () => Promise<ServiceReport>;
}

export interface ReleaseOptions {
  readonly version: Version;
  readonly allowBackwards: boolean;
  readonly adopt: boolean;
  /** Between a write and its reading back, milliseconds; for tests. */
  readonly sleep?: ((milliseconds: number) => Promise<unknown>) | undefined;
}

export interface Released {
  readonly ok: boolean;
  readonly gate: Gate;
  readonly services: readonly ServiceReport[];
}

/** Rounds of look and write: three phases, and as many again for what others do meanwhile. */
const ROUNDS = 12;

/**
 * Releases services as one: every candidate is verified in every required registry before the first version tag is
 * written, and every version tag before the first floating one; `latest` comes last. Nothing is remembered between
 * runs: what the registries hold says what is left to do.
 */
export async function releaseServices(
  context: Destination,
  entrants: readonly Entrant[],
  options: ReleaseOptions,
): Promise<Released> {
  const brought = await Promise.all(entrants.map(({ bring }) => bring()));
  const stopped = interrupted(context);
  if (stopped !== undefined) throw stopped;
  const run = new Run(context, entrants, brought, options);
  return run.release();
}

class Run {
  readonly #indexes = new Indexes();
  /** Writes that failed in this run, by their names: they are for the next one. */
  readonly #failed = new Map<string, Problem>();
  /** Writes of this run, with what was there before. */
  readonly #done = new Map<string, Step["before"]>();
  readonly #told = new Map<string, string>();

  constructor(
    private readonly context: Destination,
    private readonly entrants: readonly Entrant[],
    private readonly brought: readonly ServiceReport[],
    private readonly options: ReleaseOptions,
  ) {}

  async release(): Promise<Released> {
    const { version, allowBackwards, adopt } = this.options;
    const registries = this.context.targets.map(({ name, registry }) => ({
      registry: name,
      required: registry.required,
    }));
    const start = await this.#look();
    const services = this.entrants.map(({ service }) => service);
    const gate = decideGate({ version, services, registries, entries: await this.#entries(start) });
    if (!gate.open) return { ok: false, gate, services: this.brought.map((report) => notReleased(report)) };
    this.context.progress.note({ step: "gate" }, `open: ${version.text} may be released`);
    const policies = Object.fromEntries(this.entrants.map(({ service, policy }) => [service, policy]));
    const plan = planRelease({ version, gate, registries, policies, allowBackwards, adopt });
    const progress = await this.#write(plan, start);
    const verified = await this.#verify(plan, progress);
    return { ok: verified.every((report) => isComplete(report)), gate, services: verified };
  }

  #look(): Promise<Sight[]> {
    return lookEverywhere(this.context, this.#wanted(), this.#indexes);
  }

  #wanted(): Wanted[] {
    const { version } = this.options;
    return this.entrants.map(({ service, policy }, index) => {
      const tags = planTags(version, policy);
      const candidate = this.brought[index]?.tag;
      return {
        service,
        tags: [...new Set([tags.version, ...tags.floating, ...(candidate === undefined ? [] : [candidate])])],
      };
    });
  }

  /** What the gate is told: the candidates as they were brought, the version tags as they were seen. */
  #entries(sights: readonly Sight[]): Promise<GateEntry[]> {
    return Promise.all(
      this.brought.flatMap((report) =>
        this.context.targets.map(async (target): Promise<GateEntry> => {
          const { service } = report;
          const sight = sights.find((one) => one.service === service && one.registry === target.name);
          return {
            service,
            registry: target.name,
            candidate: await this.#candidate(report, target),
            versionTag: versionTagOf(sight, this.options.version),
          };
        }),
      ),
    );
  }

  async #candidate(report: ServiceReport, target: Target): Promise<GateEntry["candidate"]> {
    const row = report.registries.find(({ registry }) => registry === target.name);
    const digest = row?.digest;
    const why = row?.problems[0]?.what ?? report.problems[0]?.what;
    if (row === undefined || digest === undefined || row.state === "failed" || row.state === "not started")
      return why === undefined ? { state: "missing" } : { state: "failed", why };
    try {
      return { state: "verified", digest, ...(await this.#indexes.facts(target, report.service, digest)) };
    } catch (error) {
      if (isTgoError(error) && error.code === "INTERRUPTED") throw error;
      return { state: "failed", why: isTgoError(error) ? error.what : messageOf(error) };
    }
  }

  /** Looks and writes in turn until nothing more can be written. */
  async #write(plan: ReleasePlan, start: readonly Sight[]): Promise<Progress> {
    let now = start;
    for (let round = 1; ; round += 1) {
      const progress = nextSteps(now, plan, start);
      if (progress.next.act !== "write" || round > ROUNDS) return progress;
      const steps = progress.next.steps.filter((step) => !this.#failed.has(nameOf(step)));
      if (steps.length === 0) return progress;
      await Promise.all(steps.map((step) => this.#writeOne(step)));
      now = await this.#look();
    }
  }

  async #writeOne(step: Step): Promise<void> {
    const { context, options } = this;
    const target = context.targets.find(({ name }) => name === step.registry);
    if (target === undefined) return;
    const names = { step: `tag ${step.tag}`, service: step.service, registry: step.registry };
    try {
      const written = await context.progress.step(names, () =>
        writeTag(target, step, {
          version: options.version,
          indexes: this.#indexes,
          ...(options.sleep === undefined ? {} : { sleep: options.sleep }),
        }),
      );
      if (written.state === "done") this.#done.set(nameOf(step), step.before);
      else if (written.told !== undefined) this.#told.set(nameOf(step), written.told);
    } catch (error) {
      const stopped = interrupted(context);
      if (stopped !== undefined) throw stopped;
      this.#failed.set(nameOf(step), problemOf(error));
    }
  }

  /** The end: every registry's version tag, held against the plan and against each other. */
  #verify(plan: ReleasePlan, progress: Progress): Promise<ServiceReport[]> {
    return Promise.all(
      plan.services.map(async ({ service, digest, tags }): Promise<ServiceReport> => {
        const report = this.brought.find((one) => one.service === service) ?? missing(service);
        const rows = progress.steps.filter((step) => step.service === service).map((step) => this.#row(step));
        const reached = this.context.targets.filter(({ name }) =>
          rows.some((row) => row.registry === name && row.tag === tags.version && isThere(row)),
        );
        const verification =
          reached.length === 0
            ? undefined
            : await verifyTag(this.context, service, reached, tags.version, { digest, elf: false });
        const registries = report.registries.map((row) => {
          const found = verification?.targets.find(({ name }) => name === row.registry);
          return found === undefined || found.state === "verified"
            ? row
            : { ...row, state: "failed" as const, problems: found.problems };
        });
        const required = this.context.targets.flatMap((target) =>
          target.registry.required ? [target.name] : [],
        );
        const binding = { tags: rows, registries };
        const released = isComplete(binding, (registry) => required.includes(registry));
        const wrote = rows.some(({ state }) => state === "done") || report.state === "published";
        return {
          ...report,
          state: released ? (wrote ? "released" : "already there") : "not released",
          registries,
          tags: rows,
          notes: [...report.notes, ...progress.overtaking.filter((line) => line.startsWith(`${service}:`))],
        };
      }),
    );
  }

  #row(step: Step): TagReport {
    const { registry, tag, standing } = step;
    const name = nameOf(step);
    const problem = this.#failed.get(name);
    const before = this.#done.has(name) ? this.#done.get(name) : step.before;
    const was = before === undefined || before.digest === step.digest ? undefined : before;
    const row = { registry, tag, ...(was === undefined ? {} : { before: was.version?.text ?? was.digest }) };
    switch (standing.state) {
      case "already there":
        return { ...row, state: this.#done.has(name) ? "done" : "already there" };
      case "stays":
        return { ...row, state: "stays", told: this.#told.get(name) ?? standing.told };
      case "refused":
        return { ...row, state: "failed", problem: problemOf(standing.error) };
      case "to write":
        return problem === undefined
          ? { ...row, state: "not started" }
          : { ...row, state: "failed", problem };
      case "missing":
      case "unreachable":
        return problem === undefined
          ? { ...row, state: "not started", told: standing.told }
          : { ...row, state: "failed", problem };
    }
  }
}

function versionTagOf(sight: Sight | undefined, version: Version): GateEntry["versionTag"] {
  if (sight?.held.state !== "seen")
    return { state: "unknown", why: sight?.held.state === "unreachable" ? sight.held.why : "not asked" };
  const held = heldVersion(sight.held.tags, version, sight.service);
  return held === undefined ? { state: "absent" } : { state: "held", digest: held.digest };
}

function nameOf({ registry, service, tag }: Step): string {
  return `${registry} ${service} ${tag}`;
}

function isThere({ state }: TagReport): boolean {
  return state === "done" || state === "already there" || state === "stays";
}

/** Whether all tags are where they should be, in the registries that count. */
function isComplete(
  { tags = [], registries }: Pick<ServiceReport, "tags" | "registries">,
  counts: (registry: string) => boolean = () => true,
): boolean {
  return (
    tags.filter(({ registry }) => counts(registry)).every(isThere) &&
    registries.filter(({ registry }) => counts(registry)).every(({ state }) => state !== "failed")
  );
}

/** The gate is closed: whatever was brought stays a candidate. */
function notReleased(report: ServiceReport): ServiceReport {
  return { ...report, state: report.state === "failed" ? "failed" : "not released" };
}

function missing(service: string): ServiceReport {
  throw new TgoError("INTERNAL", `${service} is in the plan and was never brought`);
}
