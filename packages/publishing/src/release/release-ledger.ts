import { problemOf, type Problem, type TgoError } from "@tgo/errors";
import type { RegistrySnapshot, TagStep, TagTarget } from "@tgo/release-rules";

/** How often a tag that another run also writes is decided again before that is a failure. */
const MAX_LOST_RACES = 1;

/** What one run of a release knows: the registries' first and latest snapshots, and the run's own writes. */
export class ReleaseLedger {
  readonly #first = new Map<string, RegistrySnapshot>();
  readonly #latest = new Map<string, RegistrySnapshot>();
  /** Failed writes of this run by tag: the next run repeats them. */
  readonly #failures = new Map<string, Problem>();
  /** Writes of this run by tag, with the previous target. */
  readonly #writes = new Map<string, TagTarget | undefined>();
  /** Writes that no snapshot shows yet. */
  readonly #unconfirmed = new Set<string>();
  readonly #lostRaces = new Map<string, string[]>();

  recordSnapshots(snapshots: readonly RegistrySnapshot[]): void {
    for (const snapshot of snapshots) {
      const name = `${snapshot.registry} ${snapshot.service}`;
      if (!this.#first.has(name)) this.#first.set(name, snapshot);
      this.#latest.set(name, snapshot);
      for (const write of this.#unconfirmed)
        if (write.startsWith(`${name} `)) this.#unconfirmed.delete(write);
    }
  }

  /** Each registry as this run first read it. */
  get start(): readonly RegistrySnapshot[] {
    return [...this.#first.values()];
  }

  /** Each registry as last read. */
  get now(): readonly RegistrySnapshot[] {
    return [...this.#latest.values()];
  }

  recordWrite(step: TagStep): void {
    const name = nameOf(step);
    if (!this.#writes.has(name)) this.#writes.set(name, step.before);
    this.#unconfirmed.add(name);
  }

  recordFailure(step: TagStep, error: unknown): void {
    this.#failures.set(nameOf(step), problemOf(error));
  }

  /**
   * Another run wrote the tag too: the step is decided again.
   * @param error the failure if that happens once too often; undefined if losing to a newer version is right
   */
  recordLostRace(step: TagStep, message: string, error: TgoError | undefined): void {
    const name = nameOf(step);
    const before = this.#lostRaces.get(name) ?? [];
    this.#lostRaces.set(name, [...before, message]);
    if (error !== undefined && before.length >= MAX_LOST_RACES) this.recordFailure(step, error);
  }

  /** Why this run's write failed. */
  problem(step: TagStep): Problem | undefined {
    return this.#failures.get(nameOf(step));
  }

  /** This run's write of a tag, with the previous target; undefined if it wrote none. */
  written(step: TagStep): { readonly before: TagTarget | undefined } | undefined {
    const name = nameOf(step);
    return this.#writes.has(name) ? { before: this.#writes.get(name) } : undefined;
  }

  /** Whether this run wrote the tag and read it back, but was interrupted before the next snapshot. */
  isNewerThanSnapshot(step: TagStep): boolean {
    return this.#unconfirmed.has(nameOf(step));
  }

  /** Notes on lost races for a service's tags, one line each. */
  raceNotes(service: string): string[] {
    return [...this.#lostRaces].flatMap(([name, messages]) => {
      const [registry = "", of] = name.split(" ");
      return of === service
        ? messages.map((message) => `${registry}: ${message}; the tag was read and decided again`)
        : [];
    });
  }
}

function nameOf({ registry, service, tag }: TagStep): string {
  return `${registry} ${service} ${tag}`;
}
