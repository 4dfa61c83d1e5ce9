import { Progress } from "@tgo/progress";
import { Registry, type RegistryOptions, type Retry } from "@tgo/registry";
import { kindOfTag } from "@tgo/release-rules";
import { defined } from "@tgo/report";
import type { Fault } from "@tgo/testing";
import { candidateTag } from "../../src/candidate/candidate-key.js";
import { bringCandidate, publishCandidate } from "../../src/publish/publish.js";
import type { Candidate } from "../../src/publish/candidate.js";
import type { Released } from "../../src/release/release-result.js";
import type { TargetContext } from "../../src/targets/publish-context.js";
import type { RealRegistries } from "./real-registries.js";
import { FAULTY, NAMES, SERVICES, type RegistryName } from "./release-subjects.js";
import { REQUEST_KINDS, type RequestKind } from "./request-kinds.js";
import { runPromotion, runRelease } from "./run-release.js";
import {
  PLATFORMS,
  syntheticCandidate,
  SyntheticEngine,
  syntheticImage,
  syntheticKey,
  targetOf,
  type SyntheticImage,
} from "./synthetic-candidates.js";

const PUBLIC: ReadonlySet<string> = new Set(["version", "minor", "major", "latest"]);

export interface RunOptions extends Pick<RegistryOptions, "timeoutMs" | "totalMs" | "signal"> {
  readonly version?: string;
  readonly adopt?: boolean;
}

export interface ReleaseHarnessOptions {
  /** Really waits; otherwise waits are only noted. */
  readonly waits?: boolean;
  /** Stages images with attestation manifests, as BuildKit adds them. */
  readonly attestation?: boolean;
  /** Attaches the release record to the images. */
  readonly record?: boolean;
  /** Called during every wait that is only noted. */
  readonly onWait?: () => Promise<unknown>;
}

/** One run of a release, as its user sees it, and its waits. */
export interface Outcome {
  readonly ok: boolean;
  readonly released: Released;
  /** The result as text. */
  readonly text: string;
  readonly retries: readonly Retry[];
  /** Milliseconds of every wait: before retries, and for a registry that lags. */
  readonly waits: readonly number[];
  readonly durationMs: number;
}

/** Two services in three real registries. */
export class ReleaseHarness {
  /** Builds so far, as `service version`. */
  readonly built: string[] = [];
  /** Those of them that a registry already had. */
  readonly needlessBuilds: string[] = [];
  readonly #engine = new SyntheticEngine();
  readonly #faultsBefore: number = 0;

  static #count = 0;

  /** Repositories of its own in all three registries, without faults. */
  static async create(
    registries: RealRegistries,
    options: ReleaseHarnessOptions = {},
  ): Promise<ReleaseHarness> {
    await registries.repair();
    this.#count += 1;
    return new ReleaseHarness(registries, `test${this.#count}`, options);
  }

  private constructor(
    readonly registries: RealRegistries,
    private readonly prefix: string,
    private readonly options: ReleaseHarnessOptions,
  ) {
    this.#faultsBefore = this.faultCount();
  }

  /** Makes requests of one service to one registry fail. @param times all of them when absent */
  fail(
    fault: Fault,
    kind: RequestKind,
    times?: number,
    subject: { readonly registry?: RegistryName; readonly service?: string } = {},
  ): void {
    const { registry, service } = { ...FAULTY, ...subject };
    const { method, path } = REQUEST_KINDS[kind];
    const repository = `/v2/${this.prefix}/${service}/`;
    this.registries.proxies[registry].add({
      on: (request) =>
        request.path.startsWith(repository) && method.test(request.method) && path.test(request.path),
      fault,
      ...(times === undefined ? {} : { times }),
    });
  }

  /** `host/repository` as the release sees it. */
  repository(name: RegistryName, service: string): string {
    return `${this.registries.proxies[name].host}/${this.prefix}/${service}`;
  }

  /** Calls back at the n-th request, counted over all registries. */
  onRequest(n: number, act: () => void): void {
    let count = 0;
    for (const name of NAMES) {
      this.registries.proxies[name].add({
        on: ({ path }) => {
          if (path.startsWith(`/v2/${this.prefix}/`) && ++count === n) act();
          return false;
        },
        fault: { kind: "refuse" },
      });
    }
  }

  /** Deletes a tag's manifest from a registry, as its owner would. */
  async remove(name: RegistryName, service: string, tag: string): Promise<void> {
    const digest = await this.digestAt(name, service, tag);
    if (digest !== undefined)
      await this.registries.direct[name].deleteManifest(`${this.prefix}/${service}`, digest);
  }

  /** All tags, also those that are not for users. */
  tags(name: RegistryName, service: string): Promise<string[]> {
    return this.registries.direct[name].tags(`${this.prefix}/${service}`);
  }

  /** When requests of a kind arrived, in milliseconds. */
  times(name: RegistryName, kind: RequestKind): number[] {
    const { method, path } = REQUEST_KINDS[kind];
    return this.registries.proxies[name]
      .requests()
      .filter((request) => request.path.startsWith(`/v2/${this.prefix}/`))
      .filter((request) => method.test(request.method) && path.test(request.path))
      .map(({ at }) => at);
  }

  /** Faults injected so far. */
  faultCount(): number {
    const count = NAMES.reduce((sum, name) => sum + this.registries.proxies[name].faultCount(), 0);
    return count - this.#faultsBefore;
  }

  /** Ends all faults. */
  repair(): Promise<void> {
    return this.registries.repair();
  }

  /** The same command each time. */
  release(options: RunOptions = {}): Promise<Outcome> {
    const { version = "1.2.3", adopt = false } = options;
    return this.#run(options, (context, waits) =>
      runRelease(context, version, SERVICES, {
        ...this.#releaseOptions(waits),
        adopt,
        bring: (service) => bringCandidate(context, this.#candidate(service, version)),
      }),
    );
  }

  promote(version: string): Promise<Outcome> {
    return this.#run({}, (context, waits) =>
      runPromotion(context, version, SERVICES, this.#engine.tests(), this.#releaseOptions(waits)),
    );
  }

  /** Publishes the candidates to one registry only. */
  async seed(name: RegistryName, version = "1.2.3"): Promise<void> {
    const { targets, ...rest } = this.#context([], []);
    const context = { ...rest, targets: targets.filter((target) => target.name === name) };
    for (const service of SERVICES) await publishCandidate(context, this.#candidate(service, version));
  }

  /** The digest under a tag, read past the proxy. */
  async digestAt(name: RegistryName, service: string, tag: string): Promise<string | undefined> {
    return (await this.registries.direct[name].resolve(`${this.prefix}/${service}`, tag, { push: true }))
      ?.digest;
  }

  /** The digests under a tag in every registry. */
  everywhere(service: string, tag: string): Promise<(string | undefined)[]> {
    return Promise.all(NAMES.map((name) => this.digestAt(name, service, tag)));
  }

  /** Version and floating tags, as `registry service tag`. */
  async publicTags(): Promise<string[]> {
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
    return syntheticImage(this.#image(service, version)).then(({ digest }) => digest);
  }

  /** Blobs that a registry accepted more than once, as `registry repository digest`. */
  uploadedTwice(): string[] {
    const uploads = NAMES.flatMap((name) =>
      this.registries.proxies[name].requests().flatMap(({ method, path, status, fault }) => {
        const digest = new URL(path, "http://registry").searchParams.get("digest");
        // An upload whose response was lost counts too.
        const isUpload = status === 201 || fault === "lose-answer";
        if (method !== "PUT" || digest === null || !isUpload || !path.startsWith(`/v2/${this.prefix}/`))
          return [];
        // What the registry accepted and dropped has to be sent again.
        return fault === "forget"
          ? []
          : [`${name} ${path.replace(/^\/v2\/(.+)\/blobs\/.*$/, "$1")} ${digest}`];
      }),
    );
    return uploads.filter((blob, at) => uploads.indexOf(blob) !== at);
  }

  #releaseOptions(waits: number[]): {
    pipeline?: string;
    sleep: (milliseconds: number) => Promise<unknown>;
  } {
    return {
      ...(this.options.record === true ? { pipeline: "0123456789abcdef" } : {}),
      sleep: (milliseconds) => {
        waits.push(milliseconds);
        return Promise.resolve();
      },
    };
  }

  async #run(
    options: RunOptions,
    run: (context: TargetContext, waits: number[]) => Promise<Released>,
  ): Promise<Outcome> {
    const retries: Retry[] = [];
    const waits: number[] = [];
    const context = this.#context(retries, waits, options);
    const started = performance.now();
    const released = await run(context, waits);
    const durationMs = performance.now() - started;
    return { ok: released.ok, released, text: JSON.stringify(released), retries, waits, durationMs };
  }

  #context(
    retries: Retry[],
    waits: number[],
    { timeoutMs, totalMs, signal }: RunOptions = {},
  ): TargetContext {
    const { waits: reallyWaits = false } = this.options;
    // Noted waits move the client's clock on.
    let waited = 0;
    const sleep = async (milliseconds: number): Promise<void> => {
      waits.push(milliseconds);
      waited += milliseconds;
      await this.options.onWait?.();
      await new Promise<void>((resolve) => setImmediate(resolve));
    };
    const targets = NAMES.map((name) => {
      const { host } = this.registries.proxies[name];
      const client = new Registry({
        host,
        ...defined({ credentials: this.registries.credentials(name), timeoutMs, totalMs, signal }),
        now: () => Date.now() + waited,
        onRetry: (retry) => {
          retries.push(retry);
        },
        ...(reallyWaits ? {} : { sleep }),
      });
      return targetOf(name, { host, repository: `${this.prefix}/{service}`, referrers: true }, client);
    });
    return { targets, platforms: PLATFORMS, progress: new Progress(() => undefined), signal };
  }

  #image(service: string, version: string): SyntheticImage {
    return { service, version, large: true, attestation: this.options.attestation ?? false };
  }

  #candidate(service: string, version: string): Candidate {
    const image = this.#image(service, version);
    return syntheticCandidate(image, this.#engine, async () => {
      const found = await this.everywhere(service, candidateTag(syntheticKey(image)));
      if (found.some((digest) => digest !== undefined)) this.needlessBuilds.push(`${service} ${version}`);
      this.built.push(`${service} ${version}`);
    });
  }
}
