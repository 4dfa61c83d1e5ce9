import { Registry as RegistryEntry } from "@tgo/catalog";
import { Registry, type RegistryOptions, type Retry } from "@tgo/registry";
import { kindOfTag, parseVersion, TagPolicy } from "@tgo/release-rules";
import type { Fault } from "@tgo/testing";
import { candidateTag } from "../../src/candidate/candidate-key.js";
import type { Target } from "../../src/targets/target.js";
import type { TargetContext } from "../../src/targets/publish-context.js";
import { Progress } from "@tgo/progress";
import { defined } from "@tgo/report";
import { bringCandidate, publishCandidate, type Candidate } from "../../src/publish/publish.js";
import { releaseServices, type Released } from "../../src/release/release.js";
import { bringVersionOf } from "../../src/promote/promote.js";
import { FAULTY, NAMES, SERVICES, type RegistryName } from "./places.js";
import { POINTS, type Point } from "./points.js";
import type { Registries } from "./real-registries.js";
import { BUILDER, imageOf, keyOf, PLATFORMS, REVISION } from "./synthetic-image.js";

const PUBLIC: ReadonlySet<string> = new Set(["version", "minor", "major", "latest"]);

/** How a command is given. */
export interface Wishes extends Pick<RegistryOptions, "timeoutMs" | "totalMs" | "signal"> {
  readonly version?: string;
  readonly adopt?: boolean;
}

export interface ReleaseHarnessOptions {
  /** Really waits, where otherwise waits are only written down. */
  readonly waits?: boolean;
  /** Of the staged image: attestation manifests, as BuildKit adds them. */
  readonly attestation?: boolean;
  /** Puts the release record beside the images. */
  readonly record?: boolean;
  /** What happens while something is waited for. */
  readonly onWait?: () => Promise<unknown>;
}

/** One run of a release, as its user sees it, and what it waited for. */
export interface Outcome {
  readonly ok: boolean;
  readonly released: Released;
  /** The report as text. */
  readonly said: string;
  readonly retries: readonly Retry[];
  /** Milliseconds, of every wait: between tries, and for a registry that lags. */
  readonly waits: readonly number[];
  readonly durationMs: number;
}

/** Two services in three registries. */
export class ReleaseHarness {
  /** Images that were made, as `service version`. */
  readonly built: string[] = [];
  /** Those of them that a registry held already. */
  readonly needless: string[] = [];
  readonly #before: number = 0;

  constructor(
    readonly registries: Registries,
    private readonly prefix: string,
    private readonly options: ReleaseHarnessOptions,
  ) {
    this.#before = this.struck();
  }

  /** Lets requests of one service to one registry fail. */
  fail(
    fault: Fault,
    point: Point,
    times?: number,
    at: { readonly registry?: RegistryName; readonly service?: string } = {},
  ): void {
    const { registry, service } = { ...FAULTY, ...at };
    const { method, path } = POINTS[point];
    const repository = `/v2/${this.prefix}/${service}/`;
    this.registries.proxies[registry].add({
      on: (asked) => asked.path.startsWith(repository) && method.test(asked.method) && path.test(asked.path),
      fault,
      ...(times === undefined ? {} : { times }),
    });
  }

  /** `host/repository` as the release sees it. */
  place(name: RegistryName, service: string): string {
    return `${this.registries.proxies[name].host}/${this.prefix}/${service}`;
  }

  /** Does something when so many requests have come, in all registries together. */
  at(count: number, act: () => void): void {
    let seen = 0;
    for (const name of NAMES) {
      this.registries.proxies[name].add({
        on: ({ path }) => {
          if (path.startsWith(`/v2/${this.prefix}/`) && ++seen === count) act();
          return false;
        },
        fault: { kind: "refuse" },
      });
    }
  }

  /** Requests so far. */
  requests(): number {
    return NAMES.reduce((sum, name) => sum + this.times(name, "every request").length, 0);
  }

  /** Takes a tag's manifest out of a registry, as its owner would. */
  async remove(name: RegistryName, service: string, tag: string): Promise<void> {
    const digest = await this.held(name, service, tag);
    if (digest !== undefined)
      await this.registries.behind[name].deleteManifest(`${this.prefix}/${service}`, digest);
  }

  /** Tags that are not for users: the lists of what belongs to images among them. */
  tags(name: RegistryName, service: string): Promise<string[]> {
    return this.registries.behind[name].tags(`${this.prefix}/${service}`);
  }

  /** When requests came, in milliseconds. */
  times(name: RegistryName, point: Point): number[] {
    const { method, path } = POINTS[point];
    return this.registries.proxies[name]
      .requests()
      .filter((asked) => asked.path.startsWith(`/v2/${this.prefix}/`))
      .filter((asked) => method.test(asked.method) && path.test(asked.path))
      .map(({ at }) => at);
  }

  /** Faults that struck so far. */
  struck(): number {
    return NAMES.reduce((sum, name) => sum + this.registries.proxies[name].faultCount(), 0) - this.#before;
  }

  mend(): Promise<void> {
    return this.registries.mend();
  }

  /** The same command each time. */
  release({ version = "1.2.3", ...wishes }: Wishes = {}): Promise<Outcome> {
    return this.#run(
      version,
      (destination, service) => bringCandidate(destination, this.#candidate(service, version)),
      wishes,
    );
  }

  promote(version: string): Promise<Outcome> {
    return this.#run(version, (destination, service) =>
      bringVersionOf(destination, service, version, () => Promise.resolve(new Map())),
    );
  }

  /** Puts the candidates into one registry, and nothing into the others. */
  async seed(name: RegistryName, version = "1.2.3"): Promise<void> {
    const { targets, ...rest } = this.#destination([], []);
    const destination = { ...rest, targets: targets.filter((target) => target.name === name) };
    for (const service of SERVICES) await publishCandidate(destination, this.#candidate(service, version));
  }

  /** The digest under a tag, asked of the registry itself. */
  async held(name: RegistryName, service: string, tag: string): Promise<string | undefined> {
    return (await this.registries.behind[name].resolve(`${this.prefix}/${service}`, tag, { push: true }))
      ?.digest;
  }

  /** Digests under a tag, of every registry. */
  everywhere(service: string, tag: string): Promise<(string | undefined)[]> {
    return Promise.all(NAMES.map((name) => this.held(name, service, tag)));
  }

  /** Tags that users see, as `registry service tag`. */
  async released(): Promise<string[]> {
    const found = await Promise.all(
      NAMES.flatMap((name) =>
        SERVICES.map(async (service) =>
          (await this.tags(name, service))
            .filter((tag) => PUBLIC.has(kindOfTag(tag, service).kind))
            .map((tag) => `${name} ${service} ${tag}`),
        ),
      ),
    );
    return found.flat();
  }

  digest(service: string, version = "1.2.3"): Promise<string> {
    return imageOf(service, version, this.options).then(({ digest }) => digest);
  }

  /** Blobs that a registry took more than once, as `registry repository digest`. */
  uploadedTwice(): string[] {
    const taken = NAMES.flatMap((name) =>
      this.registries.proxies[name].requests().flatMap(({ method, path, status, fault }) => {
        const digest = new URL(path, "http://registry").searchParams.get("digest");
        // An answer that was lost was an upload as well.
        const isUpload = status === 201 || fault === "lose-answer";
        if (method !== "PUT" || digest === null || !isUpload || !path.startsWith(`/v2/${this.prefix}/`))
          return [];
        // What was accepted and dropped has to be sent again.
        return fault === "forget"
          ? []
          : [`${name} ${path.replace(/^\/v2\/(.+)\/blobs\/.*$/, "$1")} ${digest}`];
      }),
    );
    return taken.filter((blob, at) => taken.indexOf(blob) !== at);
  }

  async #run(
    text: string,
    bring: (destination: TargetContext, service: string) => ReturnType<typeof bringCandidate>,
    wishes: Wishes = {},
  ): Promise<Outcome> {
    const version = parseVersion(text);
    const retries: Retry[] = [];
    const waits: number[] = [];
    const destination = this.#destination(retries, waits, wishes);
    const started = performance.now();
    const released = await releaseServices(
      destination,
      SERVICES.map((service) => ({
        service,
        policy: TagPolicy.parse({}),
        bring: () => bring(destination, service),
      })),
      {
        version,
        allowBackwards: false,
        adopt: wishes.adopt ?? false,
        ...(this.options.record === true ? { pipeline: "0123456789abcdef" } : {}),
        sleep: (milliseconds) => {
          waits.push(milliseconds);
          return Promise.resolve();
        },
      },
    );
    const durationMs = performance.now() - started;
    return { ok: released.ok, released, said: JSON.stringify(released), retries, waits, durationMs };
  }

  #destination(
    retries: Retry[],
    waits: number[],
    { timeoutMs, totalMs, signal }: Wishes = {},
  ): TargetContext {
    const { waits: waiting = false } = this.options;
    // Waits that are written down take their time for whoever asks for it.
    let waited = 0;
    const targets = NAMES.map((name): Target => {
      const { host } = this.registries.proxies[name];
      const registry = RegistryEntry.parse({ host, repository: `${this.prefix}/{service}`, referrers: true });
      const client = new Registry({
        host,
        ...defined({ credentials: this.registries.credentials(name), timeoutMs, totalMs, signal }),
        now: () => Date.now() + waited,
        onRetry: (retry) => {
          retries.push(retry);
        },
        // A wait that is written down is over at once.
        ...(waiting
          ? {}
          : {
              sleep: async (milliseconds: number) => {
                waits.push(milliseconds);
                waited += milliseconds;
                await this.options.onWait?.();
                await new Promise<void>((resolve) => setImmediate(resolve));
              },
            }),
      });
      return { name, registry, client, anonymous: undefined, credentials: undefined, service: undefined };
    });
    return { targets, platforms: PLATFORMS, progress: new Progress(() => undefined), signal };
  }

  #candidate(service: string, version: string): Candidate {
    return {
      service,
      key: keyOf(service, version),
      revision: REVISION,
      version,
      notes: [],
      proofsOf: () => Promise.resolve(new Map()),
      build: async () => {
        const held = await this.everywhere(service, candidateTag(keyOf(service, version)));
        if (held.some((digest) => digest !== undefined)) this.needless.push(`${service} ${version}`);
        this.built.push(`${service} ${version}`);
        const image = await imageOf(service, version, this.options);
        return {
          notes: [],
          proofs: [],
          deliver: () =>
            Promise.resolve({ image, from: { registry: BUILDER.client(), repository: service } }),
        };
      },
    };
  }
}
