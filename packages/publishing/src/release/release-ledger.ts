import { type TgoError, problemOf, type Problem } from "@tgo/errors";
import type { TagTarget, RegistrySnapshot, TagStep } from "@tgo/release-rules";

/** How often a tag that others write as well is decided anew before that is a failure. */
const AGAIN = 1;

/** What one run of a release knows: what the registries were seen to hold, first and last, and what it wrote. */
export class ReleaseLedger {
  readonly #first = new Map<string, RegistrySnapshot>();
  readonly #last = new Map<string, RegistrySnapshot>();
  /** Writes of this run that failed, by their names: they are for the next run. */
  readonly #failed = new Map<string, Problem>();
  /** Writes of this run, with what was there before. */
  readonly #done = new Map<string, TagTarget | undefined>();
  /** Those of them that no look has come after. */
  readonly #unseen = new Set<string>();
  readonly #lost = new Map<string, string[]>();

  see(sights: readonly RegistrySnapshot[]): void {
    for (const sight of sights) {
      const name = `${sight.registry} ${sight.service}`;
      if (!this.#first.has(name)) this.#first.set(name, sight);
      this.#last.set(name, sight);
      for (const written of this.#unseen) if (written.startsWith(`${name} `)) this.#unseen.delete(written);
    }
  }

  /** As the registries were when this run first looked at each. */
  get start(): readonly RegistrySnapshot[] {
    return [...this.#first.values()];
  }

  get now(): readonly RegistrySnapshot[] {
    return [...this.#last.values()];
  }

  wrote(step: TagStep): void {
    const name = nameOf(step);
    if (!this.#done.has(name)) this.#done.set(name, step.before);
    this.#unseen.add(name);
  }

  failed(step: TagStep, error: unknown): void {
    this.#failed.set(nameOf(step), problemOf(error));
  }

  /** Somebody else wrote the tag: it is decided anew, and once more is a failure. */
  lost(step: TagStep, told: string, error: TgoError | undefined): void {
    const name = nameOf(step);
    const before = this.#lost.get(name) ?? [];
    this.#lost.set(name, [...before, told]);
    if (error !== undefined && before.length >= AGAIN) this.failed(step, error);
  }

  problem(step: TagStep): Problem | undefined {
    return this.#failed.get(nameOf(step));
  }

  /** Whether this run wrote it, and what was there before. */
  written(step: TagStep): { readonly before: TagTarget | undefined } | undefined {
    const name = nameOf(step);
    return this.#done.has(name) ? { before: this.#done.get(name) } : undefined;
  }

  /** Whether this run wrote it, read it back, and was stopped before it looked at everything again. */
  isUnseen(step: TagStep): boolean {
    return this.#unseen.has(nameOf(step));
  }

  /** Races that were lost for a service's tags, one line each. */
  races(service: string): string[] {
    return [...this.#lost].flatMap(([name, told]) => {
      const [registry = "", of] = name.split(" ");
      return of === service
        ? told.map((line) => `${registry}: ${line}; it was looked at and decided again`)
        : [];
    });
  }
}

function nameOf({ registry, service, tag }: TagStep): string {
  return `${registry} ${service} ${tag}`;
}
