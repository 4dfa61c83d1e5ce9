import { createHash } from "node:crypto";
import { Registry as RegistryEntry, type Platform } from "@tgo/catalog";
import { finaliseImage, Registry, type FinalImage, type RegistryOptions, type Retry } from "@tgo/oci";
import { kindOfTag, parseVersion, TagPolicy } from "@tgo/release";
import {
  startFaultProxy,
  startRegistry,
  type Fault,
  type FaultProxy,
  type LocalRegistry,
} from "@tgo/testbed";
import { CANDIDATE_ANNOTATION } from "../../src/annotations.js";
import { candidateTag } from "../../src/candidate.js";
import type { Target } from "../../src/context.js";
import type { Destination } from "../../src/destination.js";
import { Progress } from "../../src/progress.js";
import { publishCandidate, type Candidate } from "../../src/publish.js";
import { releaseServices, type Released } from "../../src/release/flow.js";
import { bringVersion } from "../../src/release/version-image.js";
import { stage } from "../../../oci/test/images.js";
import { MemoryRegistry } from "../../../oci/test/memory-registry.js";

const PLATFORMS: readonly Platform[] = ["linux/amd64", "linux/arm64"];
const PUBLIC: ReadonlySet<string> = new Set(["version", "minor", "major", "latest"]);
const REVISION = "0123456789abcdef0123456789abcdef01234567";

export const SERVICES = ["tgo-api", "tgo-web"] as const;
export const NAMES = ["ghcr", "dockerhub", "acr"] as const;
export type RegistryName = (typeof NAMES)[number];
/** The one that fails, and the service whose requests fail. */
export const FAULTY = { registry: "dockerhub", service: "tgo-web" } as const;

/** Requests that something can happen to. */
export const POINTS = {
  "a layer": { method: /PUT/, path: /\/blobs\/uploads\// },
  "the start of an upload": { method: /POST/, path: /\/blobs\/uploads\// },
  "the look for a layer": { method: /HEAD/, path: /\/blobs\/sha256:/ },
  "a variant's manifest": { method: /PUT/, path: /\/manifests\/sha256:/ },
  "the candidate's tag": { method: /PUT/, path: /\/manifests\/candidate-/ },
  "the read of the candidate": { method: /GET|HEAD/, path: /\/manifests\/candidate-/ },
  "the version's tag": { method: /PUT/, path: /\/manifests\/\d+\.\d+\.\d+$/ },
  "the read of the version's tag": { method: /GET|HEAD/, path: /\/manifests\/\d+\.\d+\.\d+$/ },
  "the tag latest": { method: /PUT/, path: /\/manifests\/latest$/ },
  "the read of latest": { method: /GET|HEAD/, path: /\/manifests\/latest$/ },
  "the list of tags": { method: /GET/, path: /\/tags\/list/ },
  "the download of a layer": { method: /GET/, path: /\/blobs\/sha256:/ },
  "the download of a manifest": { method: /GET/, path: /\/manifests\// },
  "a document's list": { method: /PUT/, path: /\/manifests\/sha256-/ },
  "every write": { method: /PUT|POST|PATCH|DELETE/, path: /./ },
  "every request": { method: /./, path: /./ },
} as const satisfies Record<string, { readonly method: RegExp; readonly path: RegExp }>;
export type Point = keyof typeof POINTS;

/** Three real registries, each behind a proxy that fails when told to; one of them with logins. */
export class Registries {
  /** The registries asked without their proxies. */
  readonly behind: Readonly<Record<RegistryName, Registry>>;
  #scenes = 0;

  private constructor(
    readonly real: Readonly<Record<RegistryName, LocalRegistry>>,
    readonly proxies: Readonly<Record<RegistryName, FaultProxy>>,
  ) {
    const ask = (name: RegistryName): Registry =>
      new Registry({ host: real[name].host, credentials: credentialsOf(real[name]) });
    this.behind = { ghcr: ask("ghcr"), dockerhub: ask("dockerhub"), acr: ask("acr") };
  }

  static async start(): Promise<Registries> {
    const one = async (auth: "none" | "bearer"): Promise<[LocalRegistry, FaultProxy]> => {
      const real = await startRegistry({ auth });
      return [real, await startFaultProxy(real.url)];
    };
    const [ghcr, dockerhub, acr] = await Promise.all([one("none"), one("bearer"), one("none")]);
    return new Registries(
      { ghcr: ghcr[0], dockerhub: dockerhub[0], acr: acr[0] },
      { ghcr: ghcr[1], dockerhub: dockerhub[1], acr: acr[1] },
    );
  }

  /** Repositories of its own in all three registries, none of which fails. */
  async scene(options: SceneOptions = {}): Promise<Scene> {
    await this.mend();
    this.#scenes += 1;
    return new Scene(this, `s${this.#scenes}`, options);
  }

  async mend(): Promise<void> {
    for (const name of NAMES) {
      this.proxies[name].clear();
      await this.proxies[name].up();
    }
  }

  async stop(): Promise<void> {
    await Promise.all(NAMES.map((name) => this.proxies[name].stop()));
    await Promise.all(NAMES.map((name) => this.real[name].stop()));
  }
}

/** How a command is given. */
export interface Wishes extends Pick<RegistryOptions, "timeoutMs" | "totalMs" | "signal"> {
  readonly version?: string;
  readonly adopt?: boolean;
}

export interface SceneOptions {
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

export const TAGS = ["1.2.3", "1.2", "1", "latest"] as const;

/** Two services in three registries. */
export class Scene {
  /** Images that were made, as `service version`. */
  readonly built: string[] = [];
  /** Those of them that a registry held already. */
  readonly needless: string[] = [];
  readonly #before: number = 0;

  constructor(
    readonly registries: Registries,
    private readonly prefix: string,
    private readonly options: SceneOptions,
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
    return NAMES.reduce((sum, name) => sum + this.registries.proxies[name].struck(), 0) - this.#before;
  }

  mend(): Promise<void> {
    return this.registries.mend();
  }

  /** The same command each time. */
  release({ version = "1.2.3", ...wishes }: Wishes = {}): Promise<Outcome> {
    return this.#run(
      version,
      (destination, service) => publishCandidate(destination, this.#candidate(service, version)),
      wishes,
    );
  }

  promote(version: string): Promise<Outcome> {
    return this.#run(version, (destination, service) => bringVersion(destination, service, version));
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
    bring: (destination: Destination, service: string) => ReturnType<typeof publishCandidate>,
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
        pipeline: this.options.record === true ? "0123456789abcdef" : undefined,
        sleep: (milliseconds) => {
          waits.push(milliseconds);
          return Promise.resolve();
        },
      },
    );
    const durationMs = performance.now() - started;
    return { ok: released.ok, released, said: JSON.stringify(released), retries, waits, durationMs };
  }

  #destination(retries: Retry[], waits: number[], { timeoutMs, totalMs, signal }: Wishes = {}): Destination {
    const { waits: waiting = false } = this.options;
    // Waits that are written down take their time for whoever asks for it.
    let waited = 0;
    const targets = NAMES.map((name): Target => {
      const { host } = this.registries.proxies[name];
      const registry = RegistryEntry.parse({ host, repository: `${this.prefix}/{service}`, referrers: true });
      const client = new Registry({
        host,
        credentials: credentialsOf(this.registries.real[name]),
        timeoutMs,
        totalMs,
        signal,
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
      make: async () => {
        const held = await this.everywhere(service, candidateTag(keyOf(service, version)));
        if (held.some((digest) => digest !== undefined)) this.needless.push(`${service} ${version}`);
        this.built.push(`${service} ${version}`);
        const image = await imageOf(service, version, this.options);
        return {
          notes: [],
          deliver: () =>
            Promise.resolve({ image, from: { registry: BUILDER.client(), repository: service } }),
        };
      },
    };
  }
}

function credentialsOf({
  username,
  password,
}: LocalRegistry): { username: string; password: string } | undefined {
  return username === undefined || password === undefined ? undefined : { username, password };
}

/** Where images are built: the same ones for every scene. */
const BUILDER = new MemoryRegistry("builder.test");
const IMAGES = new Map<string, Promise<FinalImage>>();

function imageOf(
  service: string,
  version: string,
  { attestation = false }: SceneOptions,
): Promise<FinalImage> {
  const key = keyOf(service, version);
  const name = `${key}-${String(attestation)}`;
  const image = IMAGES.get(name) ?? build(service, version, name, attestation);
  IMAGES.set(name, image);
  return image;
}

/** A layer that both platforms share, and one of each platform; none of them compresses. */
async function build(
  service: string,
  version: string,
  tag: string,
  attestation: boolean,
): Promise<FinalImage> {
  const client = BUILDER.client();
  const layer = (name: string): { path: string; content: Buffer }[] => [
    { path: `app/${name.replaceAll("/", "-")}`, content: noise(`${service} ${version} ${name}`) },
  ];
  const variants = PLATFORMS.map((platform) => ({ platform, layers: [layer("shared"), layer(platform)] }));
  await stage(client, service, tag, variants, { attestation });
  return finaliseImage({
    source: { registry: client, repository: service, reference: tag },
    platforms: PLATFORMS,
    created: new Date(0),
    annotations: {
      [CANDIDATE_ANNOTATION]: keyOf(service, version),
      "org.opencontainers.image.version": version,
      "org.opencontainers.image.revision": REVISION,
    },
  });
}

/** 200 kB: several packets on any connection, so that there is a middle to break off in. */
function noise(seed: string): Buffer {
  return createHash("shake256", { outputLength: 200_000 }).update(seed).digest();
}

function keyOf(service: string, version: string): string {
  return createHash("sha256").update(`${service} ${version}`).digest("hex").slice(0, 16);
}
