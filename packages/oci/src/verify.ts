import { OCI_INDEX } from "./constants.js";
import type { ElfReport } from "./elf.js";
import { checkElf } from "./verifyelf.js";
import { Facts, type VariantFacts } from "./facts.js";
import { inParallel } from "./parallel.js";
import { platformOf, parsePlatform, type Platform } from "./platform.js";
import { problemOf, type Problem } from "./problem.js";
import type { ManifestAnswer, Registry } from "./registry.js";
import { isIndex, type Descriptor, type Index } from "./schema.js";
import { address, isAttestation } from "./staging.js";

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

/** What was seen of one target so far. */
export interface Sighting {
  readonly target: VerifyTarget;
  readonly problems: Problem[];
  digest: string | undefined;
  index: Index | undefined;
  variants: readonly VariantFacts[];
  durationMs: number;
}

const HEADS_AT_ONCE = 16;

/**
 * Checks what users will pull, in every registry at once.
 *
 * The index is read from every registry, and its digest computed from its bytes; what it names is read once by
 * digest, wherever it is first found, and in the other registries only looked for. Problems are collected, per
 * target; a registry that is down is a problem of its own target.
 * @throws TgoError INTERRUPTED only.
 */
export async function verifyImage(options: VerifyOptions): Promise<Verification> {
  const facts = new Facts();
  const sightings = await Promise.all(options.targets.map((target) => sight(target, options, facts)));
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

async function sight(target: VerifyTarget, options: VerifyOptions, facts: Facts): Promise<Sighting> {
  const now = options.now ?? (() => performance.now());
  const started = now();
  const sighting: Sighting = {
    target,
    problems: [],
    digest: undefined,
    index: undefined,
    variants: [],
    durationMs: 0,
  };
  await Promise.all([
    look(sighting, options, facts).catch((error: unknown) => sighting.problems.push(problemOf(error))),
    target.anonymous === undefined
      ? undefined
      : pullAnonymously(target, target.anonymous).then((found) => sighting.problems.push(...found)),
  ]);
  sighting.durationMs = Math.round(now() - started);
  return sighting;
}

async function look(sighting: Sighting, options: VerifyOptions, facts: Facts): Promise<void> {
  const { registry, repository, reference } = sighting.target;
  const found = await registry.manifest(repository, reference);
  sighting.digest = found.descriptor.digest;
  const index = checkIndex(found, sighting, options);
  if (index === undefined) return;
  sighting.index = index;
  const children = index.manifests.filter((child) => !isAttestation(child));
  const seen = await Promise.all(children.map((child) => lookAtVariant(child, sighting, facts)));
  sighting.variants = seen.filter((variant) => variant !== undefined);
  for (const variant of sighting.variants)
    sighting.problems.push(...variantProblems(variant, options.expect, where(sighting)));
}

/** The index's own facts. Undefined when it is none. */
function checkIndex(
  { value, descriptor }: ManifestAnswer,
  sighting: Sighting,
  { platforms, expect = {} }: VerifyOptions,
): Index | undefined {
  const wrong = (what: string, remedy?: string): void =>
    void sighting.problems.push({ code: "VERIFY", what, where: where(sighting), remedy });
  if (!isIndex(value)) {
    wrong(`it is a single manifest (${descriptor.mediaType}), not an index of platforms`, REPUBLISH);
    return undefined;
  }
  if (value.mediaType !== OCI_INDEX)
    wrong(`its media type is ${value.mediaType}, not ${OCI_INDEX}`, REPUBLISH);

  const attestations = value.manifests.filter(isAttestation).length;
  if (attestations > 0)
    wrong(`it lists ${attestations} attestation manifests`, "Build with provenance and SBOM off.");
  const planned = platforms.map((platform) => platformOf(parsePlatform(platform)));
  const children = value.manifests.filter((child) => !isAttestation(child));
  const listed = children.map(({ platform }) =>
    platform === undefined ? "no platform" : platformOf(platform),
  );
  for (const platform of planned) if (!listed.includes(platform)) wrong(`${platform} is missing`, REPUBLISH);
  for (const platform of new Set(listed)) {
    if (!planned.includes(platform)) wrong(`it lists ${platform}, which is not planned`, REPUBLISH);
    if (listed.filter((other) => other === platform).length > 1)
      wrong(`it lists ${platform} more than once`, REPUBLISH);
  }
  for (const text of differences(expect.annotations ?? {}, value.annotations ?? {}))
    wrong(`annotation ${text}`, REPUBLISH);
  for (const { platform, digest } of expect.variants ?? []) {
    const child = children.find(
      (other) => other.platform !== undefined && platformOf(other.platform) === platform,
    );
    if (child !== undefined && child.digest !== digest)
      wrong(`${platform} is ${child.digest}, expected ${digest}`, REPUBLISH);
  }
  return value;
}

/** A variant's facts, and whether this registry holds all of it. */
async function lookAtVariant(
  child: Descriptor,
  sighting: Sighting,
  facts: Facts,
): Promise<VariantFacts | undefined> {
  const { target, problems } = sighting;
  try {
    const { variant, fetched } = await facts.variant(target, child);
    const missing = await inParallel(HEADS_AT_ONCE, variant.needs(fetched), async (descriptor) => {
      const size = await sizeOf(target, descriptor, descriptor.digest === child.digest);
      if (size === descriptor.size) return undefined;
      const what =
        size === undefined ? "is not in the repository" : `has ${size} bytes there, not ${descriptor.size}`;
      return `${descriptor.digest} ${what}`;
    });
    const gone = missing.filter((text) => text !== undefined);
    if (gone.length > 0) {
      problems.push({
        code: "NOT_FOUND",
        what: `${variant.platform} cannot be pulled whole: ${gone.join("; ")}`,
        where: where(sighting),
        remedy: "Publish again: what is missing is copied from another registry or uploaded.",
      });
    }
    return variant;
  } catch (error) {
    problems.push(problemOf(error));
    return undefined;
  }
}

async function sizeOf(
  { registry, repository }: VerifyTarget,
  { digest, size }: Descriptor,
  isManifest: boolean,
): Promise<number | undefined> {
  return isManifest
    ? (await registry.resolve(repository, digest))?.size
    : registry.hasBlob(repository, digest, { size });
}

function variantProblems(variant: VariantFacts, expect: Expectation = {}, at: string): Problem[] {
  const { platform, config } = variant;
  const actual = platformOf(config);
  return [
    ...(platform === actual ? [] : [`the index says ${platform}, the variant's own config ${actual}`]),
    ...differences(expect.labels ?? {}, config.config?.Labels ?? {}).map(
      (text) => `${platform}: label ${text}`,
    ),
  ].map((what) => ({ code: "VERIFY", what, where: at, remedy: REPUBLISH }));
}

/** The pull that every user makes: no credentials. */
async function pullAnonymously(
  { repository, reference, registry }: VerifyTarget,
  anonymous: Registry,
): Promise<Problem[]> {
  const remedy =
    registry.host === "ghcr.io"
      ? 'GHCR makes new packages private. On GitHub: the package\'s settings, "Change visibility", Public.'
      : `Make the repository ${registry.host}/${repository} public in the registry's settings.`;
  const closed = {
    code: "VERIFY",
    what: "it cannot be pulled without credentials",
    where: address(registry, repository, reference),
    remedy,
  } as const;
  try {
    return (await anonymous.resolve(repository, reference)) === undefined ? [closed] : [];
  } catch (error) {
    const problem = problemOf(error);
    if (problem.code === "UNAUTHORIZED" || problem.code === "DENIED" || problem.code === "NOT_FOUND")
      return [closed];
    return [{ ...problem, what: `without credentials: ${problem.what}` }];
  }
}

function compareDigests(sightings: readonly Sighting[], digest: string | undefined, expected: boolean): void {
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

function differences(
  expected: Readonly<Record<string, string>>,
  actual: Readonly<Record<string, string>>,
): string[] {
  return Object.entries(expected).flatMap(([key, value]) => {
    const found = actual[key];
    if (found === value) return [];
    return [
      found === undefined
        ? `${key} is missing (expected "${value}")`
        : `${key} is "${found}", expected "${value}"`,
    ];
  });
}

function where({ target: { registry, repository, reference } }: Sighting): string {
  return address(registry, repository, reference);
}

function reported({ target, digest, problems, durationMs, ...rest }: Sighting): VerifiedTarget {
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

function reportedVariant(variant: VariantFacts, elf: ElfReport | undefined): VerifiedVariant {
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

const REPUBLISH = "Build and publish it again.";
