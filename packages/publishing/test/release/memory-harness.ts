import type { FinalImage } from "@tgo/image";
import { Progress } from "@tgo/progress";
import type { Registry } from "@tgo/registry";
import { parseVersion, type TagPolicy } from "@tgo/release-rules";
import { MemoryRegistry } from "@tgo/testing";
import { bringCandidate } from "../../src/publish/publish.js";
import type { Candidate } from "../../src/publish/candidate.js";
import type { ReleaseOptions } from "../../src/release/release.js";
import type { Released } from "../../src/release/release-result.js";
import type { TargetContext } from "../../src/targets/publish-context.js";
import { NAMES, SERVICES, type RegistryName } from "./release-subjects.js";
import { runPromotion, runRelease } from "./run-release.js";
import {
  PLATFORMS,
  syntheticCandidate,
  SyntheticEngine,
  syntheticImage,
  targetOf,
} from "./synthetic-candidates.js";

/** Which of the registries are required. */
export const REQUIRED: Readonly<Record<RegistryName, boolean>> = { ghcr: true, dockerhub: true, acr: false };

export interface MemoryHarnessOptions {
  /** Of every request, in milliseconds. */
  readonly delayMs?: number;
  /** Whether all three registries are required. */
  readonly allRequired?: boolean;
  /** Registries that accept referrers. */
  readonly referrers?: readonly RegistryName[];
  /** Grace period for the optional registry, in milliseconds. */
  readonly gracePeriodMs?: number;
  /** The optional registry is given up after this time, in milliseconds. */
  readonly optionalLimitMs?: number;
}

export interface ReleaseFlags extends Pick<Partial<ReleaseOptions>, "allowBackwards" | "adopt"> {
  readonly services?: readonly string[];
  /** Releases another image under the version. */
  readonly content?: string;
  readonly policy?: TagPolicy;
}

/** Three registries in memory, and candidates that can be built for them. */
export class MemoryHarness {
  readonly registries: Readonly<Record<RegistryName, MemoryRegistry>>;
  /** Builds so far, as `service version`. */
  readonly built: string[] = [];
  /** The engine that builds and tests; another one has no proofs. */
  engine = new SyntheticEngine();
  /** Digests of images by `service version`; see {@link buildAll}. */
  readonly digests = new Map<string, string>();

  constructor(private readonly options: MemoryHarnessOptions = {}) {
    const { delayMs = 0 } = options;
    const make = (name: RegistryName): MemoryRegistry => new MemoryRegistry(`${name}.test`, { delayMs });
    this.registries = { ghcr: make("ghcr"), dockerhub: make("dockerhub"), acr: make("acr") };
  }

  image(service: string, version: string, content?: string): Promise<FinalImage> {
    return syntheticImage(specOf(service, version, content));
  }

  /** Builds the images of these versions in advance, to know their digests. */
  async buildAll(versions: readonly string[]): Promise<void> {
    for (const version of versions) {
      for (const service of SERVICES)
        this.digests.set(`${service} ${version}`, (await this.image(service, version)).digest);
    }
  }

  candidate(service: string, version: string, content?: string): Candidate {
    return syntheticCandidate(specOf(service, version, content), this.engine, () => {
      this.built.push(`${service} ${version}`);
    });
  }

  context(
    clientOf: (name: RegistryName) => Registry = (name) => this.registries[name].client(),
    signal?: AbortSignal,
  ): TargetContext {
    const { allRequired = false, referrers = [], gracePeriodMs = 500, optionalLimitMs } = this.options;
    const targets = NAMES.map((name) => {
      const entry = {
        host: `${name}.test`,
        repository: "tgoai/{service}",
        required: allRequired || REQUIRED[name],
        referrers: referrers.includes(name),
      };
      return targetOf(name, entry, clientOf(name));
    });
    return {
      targets,
      platforms: PLATFORMS,
      progress: new Progress(() => undefined),
      signal,
      gracePeriodMs,
      ...(optionalLimitMs === undefined ? {} : { optionalLimitMs }),
    };
  }

  release(
    text: string,
    { services = SERVICES, content, ...flags }: ReleaseFlags = {},
    context = this.context(),
  ): Promise<Released> {
    const { text: version } = parseVersion(text);
    return runRelease(context, text, services, {
      ...RELEASE_OPTIONS,
      ...flags,
      bring: (service) => bringCandidate(context, this.candidate(service, version, content)),
    });
  }

  promote(version: string, flags: ReleaseFlags = {}): Promise<Released> {
    const options = { ...RELEASE_OPTIONS, ...flags };
    return runPromotion(this.context(), version, SERVICES, this.engine.tests(), options);
  }

  digestAt(registry: RegistryName, service: string, tag: string): string | undefined {
    return this.registries[registry].digestAt(`tgoai/${service}`, tag);
  }

  /** The digests under a tag, of every service in every registry. */
  everywhere(tag: string): (string | undefined)[] {
    return NAMES.flatMap((name) => SERVICES.map((service) => this.digestAt(name, service, tag)));
  }
}

const RELEASE_OPTIONS = { pipeline: "fedcba9876543210", sleep: () => Promise.resolve() };

function specOf(
  service: string,
  version: string,
  content: string | undefined,
): { service: string; version: string; content?: string } {
  return { service, version, ...(content === undefined ? {} : { content }) };
}
