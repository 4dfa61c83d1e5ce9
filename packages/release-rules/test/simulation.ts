import {
  type TagPolicy,
  decideGate,
  tagsOfVersion,
  tagTargets,
  releaseState,
  planRelease,
  type GateEntry,
  type ReleaseState,
  type ReleasePlan,
  type ReleaseRegistry,
  type RegistrySnapshot,
  type TagStep,
  type Version,
} from "../src/index.js";

interface Image {
  readonly digest: string;
  readonly annotation?: string;
}

/** Registries as maps, to run the release rules on. */
export class Simulation {
  readonly #tags = new Map<string, Map<string, Image>>();
  readonly down = new Set<string>();

  constructor(
    readonly services: readonly string[],
    readonly registries: readonly ReleaseRegistry[],
  ) {}

  put(service: string, registry: string, tag: string, digest: string, annotation?: string): void {
    this.#repository(service, registry).set(tag, {
      digest,
      ...(annotation === undefined ? {} : { annotation }),
    });
  }

  /** The same tag of all services in all registries. */
  putAll(tag: string, digestOf: (service: string) => string, annotation?: string): void {
    for (const service of this.services)
      for (const { registry } of this.registries)
        this.put(service, registry, tag, digestOf(service), annotation);
  }

  get(service: string, registry: string, tag: string): string | undefined {
    return this.#repository(service, registry).get(tag)?.digest;
  }

  tags(service: string, registry: string): ReadonlyMap<string, Image> {
    return this.#repository(service, registry);
  }

  look(): RegistrySnapshot[] {
    return this.services.flatMap((service) =>
      this.registries.map(({ registry }) => ({
        service,
        registry,
        contents: this.down.has(registry)
          ? { state: "unreachable" as const, why: "connection refused" }
          : { state: "seen" as const, tags: this.#targets(service, registry) },
      })),
    );
  }

  write(step: TagStep): void {
    if (this.down.has(step.registry)) return;
    const repository = this.#repository(step.service, step.registry);
    const image = [...repository.values()].find(({ digest }) => digest === step.digest);
    if (image === undefined) throw new Error(`${step.digest} is not in ${step.registry}`);
    repository.set(step.tag, image);
  }

  /** The plan of a version whose candidates are under the tag `candidate-…`; undefined when the gate is closed. */
  plan(
    version: Version,
    candidate: string,
    flags: {
      allowBackwards?: boolean;
      adopt?: boolean;
      policy?: TagPolicy;
      services?: readonly string[];
    } = {},
  ): ReleasePlan | undefined {
    const services = flags.services ?? this.services;
    const entries = services.flatMap((service) =>
      this.registries.map(({ registry }): GateEntry => {
        if (this.down.has(registry)) {
          const why = "connection refused";
          return {
            service,
            registry,
            candidate: { state: "failed", why },
            versionTag: { state: "unknown", why },
          };
        }
        const found = this.#repository(service, registry).get(candidate);
        const tags = tagsOfVersion(this.#targets(service, registry), version, service);
        const tagged = tags.find(({ digest }) => digest !== found?.digest) ?? tags[0];
        return {
          service,
          registry,
          candidate:
            found === undefined
              ? { state: "missing" }
              : { state: "verified", digest: found.digest, version: found.annotation, revision: "c0ffee" },
          versionTag:
            tagged === undefined ? { state: "absent" } : { state: "present", digest: tagged.digest },
        };
      }),
    );
    const gate = decideGate({ version, services, registries: this.registries, entries });
    if (!gate.open) return undefined;
    const { policy, ...rest } = flags;
    const policies = policy && Object.fromEntries(services.map((service) => [service, policy]));
    return planRelease({
      version,
      gate,
      registries: this.registries,
      ...(policies && { policies }),
      ...rest,
    });
  }

  /** Carries out a plan until nothing is left to do. */
  finish(plan: ReleasePlan): ReleaseState {
    const start = this.look();
    for (let round = 0; round < 20; round++) {
      const progress = releaseState(this.look(), plan, start);
      if (progress.next.act !== "write") return progress;
      for (const step of progress.next.steps) this.write(step);
    }
    throw new Error("the release does not end");
  }

  #targets(service: string, registry: string): ReturnType<typeof tagTargets> {
    const seen = [...this.#repository(service, registry)].map(([tag, image]) => ({ tag, ...image }));
    return tagTargets(seen, service);
  }

  #repository(service: string, registry: string): Map<string, Image> {
    const name = `${service} ${registry}`;
    const repository = this.#tags.get(name) ?? new Map<string, Image>();
    this.#tags.set(name, repository);
    return repository;
  }
}
