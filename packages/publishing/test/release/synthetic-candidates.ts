import { createHash } from "node:crypto";
import { Registry as RegistryEntry, type Platform } from "@tgo/catalog";
import type { TgoError } from "@tgo/errors";
import { finaliseImage, type FinalImage } from "@tgo/image";
import type { VariantProof } from "@tgo/proof";
import type { Registry } from "@tgo/registry";
import { parse } from "@tgo/schemas";
import { MemoryRegistry, stageImage } from "@tgo/testing";
import { CANDIDATE_ANNOTATION } from "../../src/candidate/annotations.js";
import type { ImageTests } from "../../src/publish/choose-image.js";
import type { Candidate } from "../../src/publish/candidate.js";
import type { Target } from "../../src/targets/target.js";
import type { KnownProof } from "../../src/verify/verification-rows.js";

export const PLATFORMS: readonly Platform[] = ["linux/amd64", "linux/arm64"];
export const REVISION = "0123456789abcdef0123456789abcdef01234567";

/** A service's version, with everything that makes its image another one. */
export interface SyntheticImage {
  readonly service: string;
  readonly version: string;
  /** Other content has another candidate key and digest. */
  readonly content?: string;
  /** Layers of 200 kB: several packets on any connection, so that a transfer can break off in the middle. */
  readonly large?: boolean;
  /** Staged with attestation manifests, as BuildKit adds them. */
  readonly attestation?: boolean;
}

/** Where images are staged: once for all tests of a file. */
const STAGING = new MemoryRegistry("builder.test");
const IMAGES = new Map<string, Promise<FinalImage>>();

/** The finalised image. */
export function syntheticImage(spec: SyntheticImage): Promise<FinalImage> {
  const name = JSON.stringify(spec);
  const image = IMAGES.get(name) ?? build(spec);
  IMAGES.set(name, image);
  return image;
}

async function build(spec: SyntheticImage): Promise<FinalImage> {
  const { service, large = false, attestation = false } = spec;
  const key = syntheticKey(spec);
  const tag = `${key}-${String(large)}-${String(attestation)}`;
  const client = STAGING.client();
  // One layer that both platforms share, and one of its own.
  const layers = (platform: string): LayerFiles[] => [noise(`${key} shared`), noise(`${key} ${platform}`)];
  const variants = PLATFORMS.map((platform) => ({
    platform,
    labels: { key },
    ...(large ? { layers: layers(platform) } : {}),
  }));
  await stageImage(client, service, tag, variants, { attestation });
  return finaliseImage({
    source: { registry: client, repository: service, reference: tag },
    platforms: PLATFORMS,
    created: new Date(0),
    annotations: { [CANDIDATE_ANNOTATION]: key, ...annotationsOf(spec) },
  });
}

function annotationsOf({ version }: SyntheticImage): Readonly<Record<string, string>> {
  return { "org.opencontainers.image.version": version, "org.opencontainers.image.revision": REVISION };
}

type LayerFiles = { path: string; content: Buffer }[];

/** 200 kB that do not compress. */
function noise(seed: string): LayerFiles {
  const content = createHash("shake256", { outputLength: 200_000 }).update(seed).digest();
  return [{ path: `app/${seed.replaceAll(/[/ ]/g, "-")}`, content }];
}

export function syntheticKey({ service, version, content = "" }: SyntheticImage): string {
  return createHash("sha256").update(`${service} ${version} ${content}`).digest("hex").slice(0, 16);
}

/** An engine's store of proofs, and what the engine tests. */
export class SyntheticEngine {
  readonly #proofs = new Map<string, KnownProof>();
  readonly #built = new Map<string, string>();
  /** What it tested of images in registries: `run` or `check`, and the registry. */
  readonly tested: string[] = [];
  /** Fails the tests of images found in registries. */
  problem: TgoError | undefined;
  /** Whether a build hands on the proofs of its variants. */
  handsOnProofs = false;

  record(key: string, { digest, variants }: FinalImage): void {
    this.#built.set(key, digest);
    for (const { manifest, platform } of variants) this.#prove(manifest.digest, platform, true);
  }

  /** @param key of the candidate */
  tests(key?: string): ImageTests {
    return {
      key: "synthetic",
      recorded: () => Promise.resolve({ proofs: this.#proofs, built: this.#built.get(key ?? "") }),
      test: ({ from, verification }, _, { run }) => {
        this.tested.push(`${run ? "run" : "check"} ${from.name}`);
        if (this.problem !== undefined) throw this.problem;
        for (const { digest, platform } of verification.variants) this.#prove(digest, platform, run);
        return Promise.resolve(this.#proofs);
      },
    };
  }

  #prove(manifest: string, platform: string, isRun: boolean): void {
    const smoke = { machine: "x86_64", lines: [] };
    const proof = { platform: platform as Platform, files: 1, elf: 1, ...(isRun ? { smoke } : {}) };
    this.#proofs.set(manifest, { proof, recorded: true });
  }
}

function provenVariant(platform: string): VariantProof {
  return { platform: platform as Platform, files: 1, elf: 1, smoke: { machine: "x86_64", lines: [] } };
}

/** A candidate whose build yields a synthetic image. */
export function syntheticCandidate(
  spec: SyntheticImage,
  engine: SyntheticEngine,
  onBuild: () => void | Promise<void>,
): Candidate {
  const { service, version } = spec;
  const key = syntheticKey(spec);
  return {
    service,
    key,
    revision: REVISION,
    version,
    notes: [],
    annotations: annotationsOf(spec),
    labels: { key },
    tests: engine.tests(key),
    build: async () => {
      await onBuild();
      const image = await syntheticImage(spec);
      engine.record(key, image);
      const from = { registry: STAGING.client(), repository: service };
      const proofs = engine.handsOnProofs
        ? image.variants.map(({ platform }) => provenVariant(platform))
        : [];
      return { notes: [], proofs, deliver: () => Promise.resolve({ image, from }) };
    },
  };
}

/** A target for a registry of a test. */
export function targetOf(name: string, entry: Partial<RegistryEntry>, client: Registry): Target {
  const registry = parse(RegistryEntry, entry);
  return { name, registry, client, anonymous: undefined, credentials: undefined, service: undefined };
}
