import { Registry as RegistryEntry, type Platform } from "@tgo/catalog";
import { digestOf, type Registry } from "@tgo/registry";
import { finaliseImage, type FinalImage } from "@tgo/image";
import { parseVersion, TagPolicy, type Version } from "@tgo/release-rules";
import type { Target } from "../../src/targets/target.js";
import type { TargetContext } from "../../src/targets/publish-context.js";
import { Progress } from "@tgo/progress";
import { bringCandidate, type Candidate } from "../../src/publish/publish.js";
import { releaseServices, type ReleaseService, type Released } from "../../src/release/release.js";
import { bringVersionOf } from "../../src/promote/promote.js";
import { CANDIDATE_ANNOTATION } from "../../src/candidate/annotations.js";
import { stageImage, MemoryRegistry } from "@tgo/testing";

const PLATFORMS: readonly Platform[] = ["linux/amd64", "linux/arm64"];
export const REVISION = "0123456789abcdef0123456789abcdef01234567";
const PIPELINE = "fedcba9876543210";

/** Three registries, of which releases wait for two. */
export const REGISTRIES = { ghcr: true, dockerhub: true, acr: false } as const;
export type RegistryName = keyof typeof REGISTRIES;
export const NAMES = Object.keys(REGISTRIES) as RegistryName[];
export const SERVICES = ["tgo-api", "tgo-web"] as const;

/** Where images are built: the same ones for every harness. */
const BUILDER = new MemoryRegistry("builder.test");
const IMAGES = new Map<string, Promise<FinalImage>>();

/** Registries in memory, images that can be built for them, and what every write to them must keep to. */
export class MemoryHarness {
  readonly registries: Readonly<Record<RegistryName, MemoryRegistry>>;
  /** How often an image was built. */
  readonly built: string[] = [];

  constructor(
    delayMs = 0,
    private readonly wishes: MemoryHarnessOptions = {},
  ) {
    const make = (name: RegistryName): MemoryRegistry => new MemoryRegistry(`${name}.test`, { delayMs });
    this.registries = { ghcr: make("ghcr"), dockerhub: make("dockerhub"), acr: make("acr") };
  }

  /** The image of a service's version; what it is made of can differ. */
  image(service: string, version: string, made = "as usual"): Promise<FinalImage> {
    const key = keyOf(service, version, made);
    const known = IMAGES.get(key);
    if (known !== undefined) return known;
    const built = this.#build(service, version, key);
    IMAGES.set(key, built);
    return built;
  }

  /** Digests of images that were built, by service and version. */
  readonly digests = new Map<string, string>();

  /** Builds images beforehand, once for every harness. */
  async know(versions: readonly string[]): Promise<void> {
    for (const version of versions) {
      for (const service of SERVICES)
        this.digests.set(`${service} ${version}`, (await this.image(service, version)).digest);
    }
  }

  async #build(service: string, version: string, key: string): Promise<FinalImage> {
    const client = BUILDER.client();
    const variants = PLATFORMS.map((platform) => ({ platform, labels: { key } }));
    await stageImage(client, service, key, variants);
    return finaliseImage({
      source: { registry: client, repository: service, reference: key },
      platforms: PLATFORMS,
      created: new Date(0),
      annotations: {
        [CANDIDATE_ANNOTATION]: key,
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.revision": REVISION,
      },
    });
  }

  destination(clients: (name: RegistryName) => Registry, signal?: AbortSignal): TargetContext {
    const targets = NAMES.map((name): Target => {
      const registry = RegistryEntry.parse({
        host: `${name}.test`,
        repository: "tgoai/{service}",
        required: this.wishes.allRequired === true || REGISTRIES[name],
        referrers: this.wishes.referrers?.includes(name) ?? false,
      });
      const client = clients(name);
      return { name, registry, client, anonymous: undefined, credentials: undefined, service: undefined };
    });
    const { gracePeriodMs = 500 } = this.wishes;
    return { targets, platforms: PLATFORMS, progress: new Progress(() => undefined), signal, gracePeriodMs };
  }

  candidate(service: string, version: string, made?: string): Candidate {
    return {
      service,
      key: keyOf(service, version, made ?? "as usual"),
      revision: REVISION,
      version,
      notes: [],
      proofsOf: () => Promise.resolve(new Map()),
      build: async () => {
        this.built.push(`${service} ${version}`);
        const image = await this.image(service, version, made);
        const from = { registry: BUILDER.client(), repository: service };
        return { notes: [], proofs: [], deliver: () => Promise.resolve({ image, from }) };
      },
    };
  }

  release(text: string, destination = this.healthy(), options: ReleaseWishes = {}): Promise<Released> {
    const version: Version = parseVersion(text);
    const entrants = (options.services ?? SERVICES).map((service): ReleaseService => ({
      service,
      policy: TagPolicy.parse({}),
      bring: () => bringCandidate(destination, this.candidate(service, version.text, options.made)),
    }));
    return releaseServices(destination, entrants, {
      version,
      allowBackwards: options.allowBackwards ?? false,
      adopt: options.adopt ?? false,
      pipeline: PIPELINE,
      sleep: () => Promise.resolve(),
    });
  }

  /** Gives a version that is out its floating tags, and brings it where it is missing. */
  promote(text: string, options: ReleaseWishes = {}, destination = this.healthy()): Promise<Released> {
    const version = parseVersion(text);
    const entrants = SERVICES.map((service): ReleaseService => ({
      service,
      policy: TagPolicy.parse({}),
      bring: () => bringVersionOf(destination, service, version.text, () => Promise.resolve(new Map())),
    }));
    return releaseServices(destination, entrants, {
      version,
      allowBackwards: options.allowBackwards ?? false,
      adopt: options.adopt ?? false,
      promotes: true,
      pipeline: PIPELINE,
      sleep: () => Promise.resolve(),
    });
  }

  healthy(): TargetContext {
    return this.destination((name) => this.registries[name].client());
  }

  held(registry: RegistryName, service: string, tag: string): string | undefined {
    return this.registries[registry].digestAt(`tgoai/${service}`, tag);
  }

  /** The digests under a tag, of every service in every registry. */
  everywhere(tag: string): (string | undefined)[] {
    return NAMES.flatMap((name) => SERVICES.map((service) => this.held(name, service, tag)));
  }
}

export interface MemoryHarnessOptions {
  /** Whether a release waits for all three registries. */
  readonly allRequired?: boolean;
  /** Registries that take documents beside images. */
  readonly referrers?: readonly RegistryName[];
  /** How long the registry that is not required is waited for. */
  readonly gracePeriodMs?: number;
}

export interface ReleaseWishes {
  readonly services?: readonly string[];
  readonly made?: string;
  readonly allowBackwards?: boolean;
  readonly adopt?: boolean;
}

function keyOf(service: string, version: string, made: string): string {
  return digestOf(new TextEncoder().encode(`${service} ${version} ${made}`)).slice("sha256:".length, 23);
}
