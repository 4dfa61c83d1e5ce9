import {
  decideGate,
  planTags,
  snapshotOf,
  versionsOf,
  type Gate,
  type GateEntry,
  type GateReason,
  type ReleaseRegistry,
  type RegistrySnapshot,
  type TagPolicy,
  type Version,
} from "@tgo/release-rules";
import type { RegistryReport, ServiceReport } from "@tgo/report";
import type { PublishOutcome } from "../publish/publish-outcome.js";
import type { Target } from "../targets/target.js";
import type { TargetContext } from "../targets/publish-context.js";
import { within } from "../publish/grace-period.js";
import type { ReleaseLedger } from "./release-ledger.js";
import { gateEntry } from "./gate-entry.js";
import { readTags, type IndexCache, type TagQuery } from "./read-tags.js";

/** A registry that nobody waits for is given up after this time, in milliseconds: what its clients have for everything. */
const LONGEST_MS = 30 * 60_000;

/**
 * What comes together before the gate: candidates as they were brought, and registries as they are first seen. Those that
 * nobody waits for may come when the gate has long been decided.
 */
export class GateInputs {
  /** By `registry service`: how the candidate was brought there, as far as that is known. */
  readonly #rows = new Map<string, RegistryReport>();
  /** By `registry service`: why nothing can be tagged there in this run. */
  readonly #excluded = new Map<string, string>();
  /** What the gate is told, and what it would have been told of those who come later. */
  readonly #entries: GateEntry[] = [];

  constructor(
    private readonly context: TargetContext,
    private readonly services: readonly { readonly service: string; readonly policy: TagPolicy }[],
    private readonly brought: readonly PublishOutcome[],
    private readonly version: Version,
    private readonly board: ReleaseLedger,
    private readonly indexes: IndexCache,
  ) {
    for (const { service, registries } of brought)
      for (const row of registries) this.#rows.set(`${row.registry} ${service}`, row);
  }

  /** A registry that is not waited for, when its candidates are brought or have failed. */
  async arrive(target: Target): Promise<void> {
    const rows = this.brought.flatMap(({ service, late }) => {
      const row = late?.get(target.name);
      return row === undefined
        ? []
        : [row.then((known) => this.#rows.set(`${target.name} ${service}`, known))];
    });
    if (!(await within(Promise.all(rows), LONGEST_MS))) {
      for (const { service } of this.brought) this.#giveUp(target, service);
    }
    await this.enter([target]);
  }

  #giveUp(target: Target, service: string): void {
    const row = this.#rows.get(`${target.name} ${service}`);
    if (row === undefined || row.state === "failed") return;
    const what = `it had not taken the candidate after ${LONGEST_MS / 60_000} min, and is waited for no longer`;
    const problem = { code: "UNAVAILABLE", what, remedy: "Run the same command again." } as const;
    this.#rows.set(`${target.name} ${service}`, { ...row, state: "failed", problems: [problem] });
  }

  /** First look at registries whose candidates are brought, and what the gate is to know of them. */
  async enter(targets: readonly Target[]): Promise<void> {
    const [silent, answering] = partition(targets, (target) => this.#isSilent(target));
    // Not one candidate could be brought: asking for tags would only take its time once more.
    const unseen = silent.flatMap((target) =>
      this.brought.map(({ service }): RegistrySnapshot => {
        const why = this.#rows.get(`${target.name} ${service}`)?.problems[0]?.what ?? "it was not asked";
        return { service, registry: target.name, contents: { state: "unreachable", why } };
      }),
    );
    const [seen] = await Promise.all([this.look(answering), this.#readIndexes(answering)]);
    this.board.see([...unseen, ...seen]);
    const entries = await Promise.all(
      targets.flatMap((target) =>
        this.brought.map((report) =>
          gateEntry(target, {
            report,
            row: this.#rows.get(`${target.name} ${report.service}`),
            version: this.version,
            sights: this.board.now,
            indexes: this.indexes,
          }),
        ),
      ),
    );
    this.#entries.push(...entries);
  }

  /** Whether a registry answered for none of the candidates; one that refused them may answer for its tags. */
  #isSilent({ name }: Target): boolean {
    return this.brought.every(({ service }) => {
      const row = this.#rows.get(`${name} ${service}`);
      return row?.state === "failed" && row.problems.some(({ code }) => code === "UNAVAILABLE");
    });
  }

  /** Each index once, while the tags are looked at; who cannot read one hears of it when it is needed. */
  async #readIndexes(targets: readonly Target[]): Promise<void> {
    await Promise.allSettled(
      targets.flatMap((target) =>
        this.brought.map(async ({ service }) => {
          const digest = this.#rows.get(`${target.name} ${service}`)?.digest;
          if (digest !== undefined) await this.indexes.read(target, service, digest);
        }),
      ),
    );
  }

  /** The gate, with all that is known by now. */
  decide(): Gate {
    const { version } = this;
    const services = this.services.map(({ service }) => service);
    return decideGate({ version, services, registries: this.registries(), entries: this.#entries });
  }

  registries(): ReleaseRegistry[] {
    return this.context.targets.map(({ name, registry }) => ({
      registry: name,
      required: registry.required,
    }));
  }

  /** What is left in registries that are not waited for, with all that is known of them by now. */
  later(needed: readonly Target[]): readonly GateReason[] {
    const gate = this.decide();
    const reasons = [...(gate.open ? [] : gate.reasons), ...gate.later];
    const waits = needed.some(({ registry }) => registry.required);
    return reasons.filter(({ registry }) => !waits || !needed.some(({ name }) => name === registry));
  }

  /** An image that did not pass is not tagged, in whatever registry. */
  exclude(targets: readonly Target[]): void {
    const gate = this.decide();
    for (const { kind, service, registry, what } of [...(gate.open ? [] : gate.reasons), ...gate.later]) {
      if (service === undefined || !targets.some(({ name }) => name === registry)) continue;
      if (OF_THE_CANDIDATE.has(kind)) this.#excluded.set(`${registry ?? ""} ${service}`, what);
    }
    this.board.see(this.board.now.map((sight) => this.#withoutExcluded(sight)));
  }

  #withoutExcluded(sight: RegistrySnapshot): RegistrySnapshot {
    const why = this.#excluded.get(`${sight.registry} ${sight.service}`);
    return why === undefined ? sight : { ...sight, contents: { state: "unreachable", why } };
  }

  async look(targets: readonly Target[]): Promise<RegistrySnapshot[]> {
    const sights = await readTags({ ...this.context, targets }, this.#wanted(), this.indexes);
    return sights.map((sight) => this.#withoutExcluded(this.#withCandidate(sight)));
  }

  /** What was brought is there, and was verified there: it need not be asked for again. */
  #withCandidate(sight: RegistrySnapshot): RegistrySnapshot {
    const { service, registry, contents } = sight;
    const row = this.#rows.get(`${registry} ${service}`);
    const tag = this.brought.find((one) => one.service === service)?.tag;
    if (contents.state !== "seen" || row?.digest === undefined || tag === undefined || contents.tags.has(tag))
      return sight;
    if (row.state === "failed" || row.state === "not started") return sight;
    const candidate = { digest: row.digest, version: undefined };
    return { service, registry, contents: { state: "seen", tags: new Map([...contents.tags, [tag, candidate]]) } };
  }

  #wanted(): TagQuery[] {
    return this.services.map(({ service, policy }) => {
      const tags = planTags(this.version, policy);
      const known = (registry: string): ReadonlySet<string> | undefined => {
        const sight = snapshotOf(this.board.start, service, registry);
        if (sight.state !== "seen") return undefined;
        return new Set(versionsOf(sight.tags, service).map(({ text }) => text));
      };
      return { service, tags: [tags.version, ...tags.floating], known };
    });
  }

  /** The brought services, as far as they have come. */
  reports(): ServiceReport[] {
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

function partition<T>(all: readonly T[], matches: (one: T) => boolean): [yes: T[], no: T[]] {
  return [all.filter(matches), all.filter((one) => !matches(one))];
}
