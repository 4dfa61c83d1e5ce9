import type { ElfReport } from "../elf/elf.js";
import { ImageCache, type CachedVariant } from "./image-cache.js";
import type { Platform } from "../platform.js";
import type { Problem } from "@tgo/errors";
import type { Registry } from "@tgo/registry";
import { inspectTarget, where, type Inspection } from "./inspect.js";
import { checkElf } from "./verify-elf.js";

/** One place where the image should be. */
export interface VerifyTarget {
  /** For the report: "ghcr". */
  readonly name: string;
  readonly registry: Registry;
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
  /** The same registry without credentials, when everybody should be able to pull. */
  readonly anonymous?: Registry | undefined;
}

export interface Expectation {
  readonly digest?: string | undefined;
  /** Of the index; others may be there as well. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** Of every variant's config; others may be there as well. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** The manifests' digests. */
  readonly variants?: readonly { readonly platform: Platform; readonly digest: string }[] | undefined;
}

export interface VerifyOptions {
  readonly targets: readonly VerifyTarget[];
  /** Exactly these. */
  readonly platforms: readonly Platform[];
  readonly expect?: Expectation | undefined;
  /** Read every layer and check the machine of every ELF file. */
  readonly elf?: boolean | undefined;
  /** Path patterns of files that may be for another machine. */
  readonly allowForeign?: readonly string[] | undefined;
  readonly onTarget?: ((target: VerifiedTarget) => void) | undefined;
  /** Milliseconds; for durations. */
  readonly now?: (() => number) | undefined;
}

export interface VerifiedTarget {
  readonly name: string;
  /** `host/repository:tag`, or `host/repository@digest`. */
  readonly reference: string;
  readonly state: "verified" | "failed";
  /** Of the bytes this registry sent; absent when it sent none. */
  readonly digest?: string | undefined;
  readonly problems: readonly Problem[];
  readonly durationMs: number;
}

export interface VerifiedVariant {
  readonly platform: Platform;
  readonly digest: string;
  readonly configDigest: string;
  /** What a pull transfers: config and layers, compressed, in bytes. */
  readonly size: number;
  /** The config's own. */
  readonly architecture: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly elf?: ElfReport | undefined;
}

export interface Verification {
  /** Every target is verified. */
  readonly ok: boolean;
  /** The digest that the targets have, or most of them. */
  readonly digest?: string | undefined;
  readonly targets: readonly VerifiedTarget[];
  readonly variants: readonly VerifiedVariant[];
  /** Of the index. */
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Checks what users will pull, in every registry at once.
 *
 * The index is read from every registry, and its digest computed from its bytes; what it names is read once by
 * digest, wherever it is first found, and in the other registries only looked for. Problems are collected, per
 * target; a registry that is down is a problem of its own target.
 * @throws TgoError INTERRUPTED only.
 */
export async function verifyImage(options: VerifyOptions): Promise<Verification> {
  const facts = new ImageCache();
  const sightings = await Promise.all(options.targets.map((target) => inspectTarget(target, options, facts)));
  const digest = options.expect?.digest ?? mostCommon(sightings.flatMap((sighting) => sighting.digest ?? []));
  compareDigests(sightings, digest, options.expect?.digest !== undefined);
  const model =
    sightings.find((sighting) => sighting.digest === digest && sighting.variants.length > 0) ??
    sightings.find(({ index }) => index !== undefined);
  const elf =
    options.elf === true && model !== undefined
      ? await checkElf(model, sightings, options)
      : new Map<string, ElfReport>();
  const targets = sightings.map(reported);
  for (const target of targets) options.onTarget?.(target);
  return {
    ok: targets.length > 0 && targets.every(({ state }) => state === "verified"),
    digest,
    targets,
    variants: (model?.variants ?? []).map((variant) => reportedVariant(variant, elf.get(variant.digest))),
    annotations: model?.index?.annotations ?? {},
  };
}

function compareDigests(
  sightings: readonly Inspection[],
  digest: string | undefined,
  expected: boolean,
): void {
  const holder = sightings.find((sighting) => sighting.digest === digest)?.target.name ?? "the others";
  for (const sighting of sightings) {
    if (sighting.digest === undefined || digest === undefined || sighting.digest === digest) continue;
    sighting.problems.unshift({
      code: "VERIFY",
      what: `it is ${sighting.digest}, ${expected ? `expected ${digest}` : `while ${holder} has ${digest}`}`,
      where: where(sighting),
      remedy:
        "One digest in every registry: publish again under a new tag, or find out who pushed the other one.",
    });
  }
}

function mostCommon(digests: readonly string[]): string | undefined {
  const count = (digest: string): number => digests.filter((other) => other === digest).length;
  return digests.reduce<string | undefined>(
    (best, digest) => (best === undefined || count(digest) > count(best) ? digest : best),
    undefined,
  );
}

function reported({ target, digest, problems, durationMs, ...rest }: Inspection): VerifiedTarget {
  // A registry that is down need not be told down twice.
  const down = problems.some(
    ({ code, what }) => code === "UNAVAILABLE" && !what.startsWith("without credentials"),
  );
  const told = problems.filter(({ what }) => !(down && what.startsWith("without credentials")));
  return {
    name: target.name,
    reference: where({ target, digest, problems, durationMs, ...rest }),
    state: told.length === 0 ? "verified" : "failed",
    digest,
    problems: told,
    durationMs,
  };
}

function reportedVariant(variant: CachedVariant, elf: ElfReport | undefined): VerifiedVariant {
  const { platform, digest, manifest, config, size } = variant;
  return {
    platform,
    digest,
    configDigest: manifest.config.digest,
    size,
    architecture: config.architecture,
    labels: config.config?.Labels ?? {},
    ...(elf === undefined ? {} : { elf }),
  };
}
