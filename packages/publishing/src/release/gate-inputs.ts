import {
  decideGate,
  planTags,
  snapshotOf,
  versionsOf,
  versionTags,
  type Gate,
  type GateEntry,
  type GateReason,
  type RegistrySnapshot,
  type ReleaseRegistry,
  type TagPolicy,
  type Version,
} from "@tgo/release-rules";
import type { RegistryReport, ServiceReport } from "@tgo/report";
import type { PublishOutcome } from "../publish/bring-image.js";
import type { TargetContext } from "../targets/publish-context.js";
import type { Target } from "../targets/target.js";
import { gateEntry } from "./gate-entry.js";
import type { IndexCache } from "./index-cache.js";
import { readTags, type TagQuery } from "./read-tags.js";
import type { ReleaseLedger } from "./release-ledger.js";

export interface GateInputsOptions {
  readonly services: readonly { readonly service: string; readonly policy: TagPolicy }[];
  readonly outcomes: readonly PublishOutcome[];
  readonly version: Version;
  readonly ledger: ReleaseLedger;
  readonly indexes: IndexCache;
}

/**
 * What decides the gate: the candidates in the registries, and the registries' tags as first read. An optional registry
 * is added again once its candidates have arrived.
 */
export class GateInputs {
  /** By registry and service: the candidate there, as far as it is known. */
  readonly #rows = new Map<string, RegistryReport>();
  /** By registry and service: why this run tags nothing there. */
  readonly #excluded = new Map<string, string>();
  /** By registry and service. */
  readonly #entries = new Map<string, GateEntry>();
  /** By registry: additions of one registry run one after the other. */
  readonly #additions = new Map<string, Promise<void>>();

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

  /** Replaces what is known of a candidate in a registry. */
  update(service: string, row: RegistryReport): void {
    this.#rows.set(keyOf(row.registry, service), row);
  }

  /** Reads registries' tags, and what the gate needs to know about the candidates there. */
  async add(targets: readonly Target[]): Promise<void> {
    const running = targets.flatMap(({ name }) => this.#additions.get(name) ?? []);
    const added = Promise.allSettled(running).then(() => this.#add(targets));
    for (const { name } of targets) this.#additions.set(name, added);
    await added;
  }

  async #add(targets: readonly Target[]): Promise<void> {
    const { ledger } = this.options;
    // A registry that took no candidate would only time out again when it is asked for its tags.
    const unavailable = targets.filter((target) => this.#isUnavailable(target));
    const available = targets.filter((target) => !unavailable.includes(target));
    const [read] = await Promise.all([this.read(available), this.#readIndexes(available)]);
    ledger.recordSnapshots([...unavailable.flatMap((target) => this.#unavailable(target)), ...read]);
    await Promise.all(
      targets.flatMap((target) => this.#reports.map((report) => this.#enter(target, report))),
    );
  }

  async #enter(target: Target, report: ServiceReport): Promise<void> {
    const { ledger, version, indexes } = this.options;
    const key = keyOf(target.name, report.service);
    const row = this.#rows.get(key);
    const snapshots = ledger.now;
    this.#entries.set(key, await gateEntry(target, { report, row, version, snapshots, indexes }));
  }

  /** Replaces a candidate's row with a failed one. Reads nothing. */
  async fail(target: Target, report: ServiceReport, row: RegistryReport): Promise<void> {
    this.update(report.service, row);
    await this.#enter(target, report);
  }

  #unavailable(target: Target): RegistrySnapshot[] {
    return this.#reports.map(({ service }) => {
      const why = this.#rows.get(keyOf(target.name, service))?.problems[0]?.what ?? "it was not queried";
      return { service, registry: target.name, contents: { state: "unreachable", why } };
    });
  }

  /** Whether every candidate failed because the registry was unavailable. One that refused them may still list tags. */
  #isUnavailable({ name }: Target): boolean {
    return this.#reports.every(({ service }) => {
      const row = this.#rows.get(keyOf(name, service));
      return row?.state === "failed" && row.problems.some(({ code }) => code === "UNAVAILABLE");
    });
  }

  /** Fills the cache while the tags are read; a failure is reported where the index is needed. */
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

  /** The gate, from everything known now. */
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

  /** What the optional registries still lack, from everything known now. */
  later(required: readonly Target[]): readonly GateReason[] {
    const reasons = this.#reasons();
    const decidesGate = required.some(({ registry }) => registry.required);
    return reasons.filter(({ registry }) => !decidesGate || !required.some(({ name }) => name === registry));
  }

  #reasons(): readonly GateReason[] {
    const gate = this.decide();
    return [...(gate.open ? [] : gate.reasons), ...gate.later];
  }

  /** Excludes candidates that did not pass in these registries: nothing is tagged there. */
  exclude(targets: readonly Target[]): void {
    for (const { kind, service, registry, what } of this.#reasons()) {
      if (service === undefined || !targets.some(({ name }) => name === registry)) continue;
      if (CANDIDATE_REASONS.has(kind)) this.#excluded.set(keyOf(registry ?? "", service), what);
    }
    const { ledger } = this.options;
    ledger.recordSnapshots(ledger.now.map((snapshot) => this.#withoutExcluded(snapshot)));
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

  /** Adds the candidate, which was already verified in this registry, by its digest: it may have no tag yet. */
  #withCandidate(snapshot: RegistrySnapshot): RegistrySnapshot {
    const { service, registry, contents } = snapshot;
    const row = this.#rows.get(keyOf(registry, service));
    if (contents.state !== "seen" || row?.digest === undefined) return snapshot;
    if (row.state === "failed" || row.state === "not started") return snapshot;
    const { digest } = row;
    const tags = new Map([...contents.tags, [digest, { digest, version: undefined }] as const]);
    return { ...snapshot, contents: { ...contents, tags } };
  }

  #queries(): TagQuery[] {
    const { services, version, ledger } = this.options;
    return services.map(({ service, policy }) => {
      const tags = planTags(version, policy, service);
      const known = (registry: string): ReadonlySet<string> | undefined => {
        const snapshot = snapshotOf(ledger.start, service, registry);
        if (snapshot.state !== "seen") return undefined;
        return new Set(versionsOf(snapshot.tags, service).map(({ text }) => text));
      };
      return { service, tags: [...versionTags(tags), ...tags.floating], known };
    });
  }

  /** The services' reports, with every registry's row as last updated. */
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

/** Reasons about the candidate itself, not about the version's tag. */
const CANDIDATE_REASONS: ReadonlySet<GateReason["kind"]> = new Set([
  "candidate missing",
  "candidate failed",
  "candidate refused",
  "digests differ",
]);
