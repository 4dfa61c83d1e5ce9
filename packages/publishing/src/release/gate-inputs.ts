import {
  decideGate,
  planTags,
  snapshotOf,
  versionsOf,
  type Gate,
  type GateEntry,
  type GateReason,
  type RegistrySnapshot,
  type ReleaseRegistry,
  type TagPolicy,
  type Version,
} from "@tgo/release-rules";
import type { RegistryReport, ServiceReport } from "@tgo/report";
import type { PublishOutcome } from "../publish/publish-image.js";
import type { TargetContext } from "../targets/publish-context.js";
import type { Target } from "../targets/target.js";
import { gateEntry } from "./gate-entry.js";
import { readTags, type IndexCache, type TagQuery } from "./read-tags.js";
import type { ReleaseLedger } from "./release-ledger.js";

export interface GateInputsOptions {
  readonly services: readonly { readonly service: string; readonly policy: TagPolicy }[];
  readonly outcomes: readonly PublishOutcome[];
  readonly version: Version;
  readonly ledger: ReleaseLedger;
  readonly indexes: IndexCache;
}

/**
 * What the gate is decided by: candidates as the registries have them, and the registries' tags as they are first
 * read. Optional registries are added again when their candidates have come.
 */
export class GateInputs {
  /** By `registry service`: the candidate there, as far as that is known. */
  readonly #rows = new Map<string, RegistryReport>();
  /** By `registry service`: why nothing can be tagged there in this run. */
  readonly #excluded = new Map<string, string>();
  /** By `registry service`. */
  readonly #entries = new Map<string, GateEntry>();
  /** By registry: a registry is added once at a time. */
  readonly #adding = new Map<string, Promise<void>>();

  constructor(
    private readonly context: TargetContext,
    private readonly options: GateInputsOptions,
  ) {
    for (const { service, registries } of this.#reports)
      for (const row of registries) this.#rows.set(keyOf(row.registry, service), row);
  }

  get #reports(): readonly ServiceReport[] {
    return this.options.outcomes.map(({ report }) => report);
  }

  /** What came of the candidates in a registry after the gate was decided. */
  update(service: string, row: RegistryReport): void {
    this.#rows.set(keyOf(row.registry, service), row);
  }

  /** Reads registries' tags, and what the gate needs to know of the candidates there. */
  async add(targets: readonly Target[]): Promise<void> {
    const running = targets.flatMap(({ name }) => this.#adding.get(name) ?? []);
    const added = Promise.allSettled(running).then(() => this.#add(targets));
    for (const { name } of targets) this.#adding.set(name, added);
    await added;
  }

  async #add(targets: readonly Target[]): Promise<void> {
    const { ledger, version, indexes } = this.options;
    const answering = targets.filter((target) => !this.#isSilent(target));
    // Not one candidate could be brought: asking for tags would only take the registry's timeout once more.
    const unasked = targets
      .filter((target) => this.#isSilent(target))
      .flatMap((target) => this.#unasked(target));
    const [read] = await Promise.all([this.read(answering), this.#readIndexes(answering)]);
    ledger.see([...unasked, ...read]);
    await Promise.all(
      targets.flatMap((target) =>
        this.#reports.map(async (report) => {
          const key = keyOf(target.name, report.service);
          const row = this.#rows.get(key);
          const snapshots = ledger.now;
          this.#entries.set(key, await gateEntry(target, { report, row, version, snapshots, indexes }));
        }),
      ),
    );
  }

  #unasked(target: Target): RegistrySnapshot[] {
    return this.#reports.map(({ service }) => {
      const why = this.#rows.get(keyOf(target.name, service))?.problems[0]?.what ?? "it was not asked";
      return { service, registry: target.name, contents: { state: "unreachable", why } };
    });
  }

  /** Whether a registry answered for none of the candidates; one that refused them may answer for its tags. */
  #isSilent({ name }: Target): boolean {
    return this.#reports.every(({ service }) => {
      const row = this.#rows.get(keyOf(name, service));
      return row?.state === "failed" && row.problems.some(({ code }) => code === "UNAVAILABLE");
    });
  }

  /** Each index once, while the tags are read; a failure is reported where the index is needed. */
  async #readIndexes(targets: readonly Target[]): Promise<void> {
    await Promise.allSettled(
      targets.flatMap((target) =>
        this.#reports.map(async ({ service }) => {
          const digest = this.#rows.get(keyOf(target.name, service))?.digest;
          if (digest !== undefined) await this.options.indexes.read(target, service, digest);
        }),
      ),
    );
  }

  /** The gate, by all that is known now. */
  decide(): Gate {
    const services = this.options.services.map(({ service }) => service);
    const entries = [...this.#entries.values()];
    return decideGate({ version: this.options.version, services, registries: this.registries(), entries });
  }

  registries(): ReleaseRegistry[] {
    return this.context.targets.map(({ name, registry }) => ({
      registry: name,
      required: registry.required,
    }));
  }

  /** What is left in the optional registries, by all that is known now. */
  later(required: readonly Target[]): readonly GateReason[] {
    const gate = this.decide();
    const reasons = [...(gate.open ? [] : gate.reasons), ...gate.later];
    const holdsGate = required.some(({ registry }) => registry.required);
    return reasons.filter(({ registry }) => !holdsGate || !required.some(({ name }) => name === registry));
  }

  /** An image that did not pass is tagged in no registry. */
  exclude(targets: readonly Target[]): void {
    const gate = this.decide();
    for (const { kind, service, registry, what } of [...(gate.open ? [] : gate.reasons), ...gate.later]) {
      if (service === undefined || !targets.some(({ name }) => name === registry)) continue;
      if (OF_THE_CANDIDATE.has(kind)) this.#excluded.set(keyOf(registry ?? "", service), what);
    }
    const { ledger } = this.options;
    ledger.see(ledger.now.map((snapshot) => this.#withoutExcluded(snapshot)));
  }

  #withoutExcluded(snapshot: RegistrySnapshot): RegistrySnapshot {
    const why = this.#excluded.get(keyOf(snapshot.registry, snapshot.service));
    return why === undefined ? snapshot : { ...snapshot, contents: { state: "unreachable", why } };
  }

  /** The registries' tags as they are now. */
  async read(targets: readonly Target[]): Promise<RegistrySnapshot[]> {
    const snapshots = await readTags({ ...this.context, targets }, this.#queries(), this.options.indexes);
    return snapshots.map((snapshot) => this.#withoutExcluded(this.#withCandidate(snapshot)));
  }

  /** A candidate that was verified in a registry need not be asked for again. */
  #withCandidate(snapshot: RegistrySnapshot): RegistrySnapshot {
    const { service, registry, contents } = snapshot;
    const row = this.#rows.get(keyOf(registry, service));
    const tag = this.#reports.find((report) => report.service === service)?.tag;
    if (contents.state !== "seen" || row?.digest === undefined || tag === undefined || contents.tags.has(tag))
      return snapshot;
    if (row.state === "failed" || row.state === "not started") return snapshot;
    const candidate = { digest: row.digest, version: undefined };
    return { ...snapshot, contents: { ...contents, tags: new Map([...contents.tags, [tag, candidate]]) } };
  }

  #queries(): TagQuery[] {
    const { services, version, ledger } = this.options;
    return services.map(({ service, policy }) => {
      const tags = planTags(version, policy);
      const known = (registry: string): ReadonlySet<string> | undefined => {
        const snapshot = snapshotOf(ledger.start, service, registry);
        if (snapshot.state !== "seen") return undefined;
        return new Set(versionsOf(snapshot.tags, service).map(({ text }) => text));
      };
      return { service, tags: [tags.version, ...tags.floating], known };
    });
  }

  /** The services' reports, with every registry as it is known now. */
  reports(): ServiceReport[] {
    return this.#reports.map((report) => ({
      ...report,
      registries: report.registries.map((row) => this.#rows.get(keyOf(row.registry, report.service)) ?? row),
    }));
  }
}

function keyOf(registry: string, service: string): string {
  return `${registry} ${service}`;
}

const OF_THE_CANDIDATE: ReadonlySet<GateReason["kind"]> = new Set([
  "candidate missing",
  "candidate failed",
  "candidate refused",
  "digests differ",
]);
