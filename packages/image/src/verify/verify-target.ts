import { foreseenProblem, type Problem } from "@tgo/errors";
import {
  OCI_INDEX,
  address,
  type FetchedManifest,
  inParallel,
  type Registry,
  isIndex,
  type Descriptor,
  type Index,
} from "@tgo/registry";
import { CachedVariant, type ImageCache } from "./image-cache.js";
import { parsePlatform, platformOf } from "../platform.js";
import { portabilityProblems } from "./portable-variant.js";
import { isAttestation } from "../read-staged-image.js";
import type { Expectation, FindingKind, InspectOptions, VerifyTarget } from "./verify-options.js";

/** A problem, and what its remedy depends on. */
export type Finding = Problem & { readonly kind?: FindingKind };

/** What is known about one target so far. */
export interface Inspection {
  readonly target: VerifyTarget;
  readonly problems: Finding[];
  digest: string | undefined;
  index: Index | undefined;
  variants: readonly CachedVariant[];
  durationMs: number;
}

const HEADS_AT_ONCE = 16;

const PLATFORMS_SHOWN = 5;

const REPUBLISH = "Build and publish it again.";

/** Verifies the image in one registry, with and without credentials at the same time. */
export async function verifyTarget(
  target: VerifyTarget,
  options: InspectOptions,
  cache: ImageCache,
): Promise<Inspection> {
  const now = options.now ?? (() => performance.now());
  const started = now();
  const inspection: Inspection = {
    target,
    problems: [],
    digest: undefined,
    index: undefined,
    variants: [],
    durationMs: 0,
  };
  const [, anonymous] = await Promise.all([
    inspect(inspection, options, cache).catch((error: unknown) =>
      inspection.problems.push(missing(error, "missing")),
    ),
    target.anonymous === undefined ? undefined : pullAnonymously(target, target.anonymous),
  ]);
  // Skip the access check when the image is missing.
  if (inspection.digest !== undefined) {
    if (typeof anonymous === "object") inspection.problems.push(anonymous);
    else if (anonymous !== undefined && anonymous !== inspection.digest)
      inspection.problems.push({
        code: "VERIFY",
        what: `without credentials it is ${anonymous}, with them ${inspection.digest}`,
        where: where(inspection),
        remedy: "Run the same command again; if it stays, find out what answers in the registry's place.",
      });
  }
  inspection.durationMs = Math.round(now() - started);
  return inspection;
}

async function inspect(inspection: Inspection, options: InspectOptions, cache: ImageCache): Promise<void> {
  const { registry, repository, reference } = inspection.target;
  const found = await registry.manifest(repository, reference);
  inspection.digest = found.descriptor.digest;
  const index = checkIndex(found, inspection, options);
  if (index === undefined) return;
  inspection.index = index;
  const variants = await Promise.all(
    plannedChildren(index, options).map((child) => inspectVariant(child, inspection, cache)),
  );
  inspection.variants = variants.filter((variant) => variant !== undefined);
  for (const variant of inspection.variants)
    inspection.problems.push(...variantProblems(variant, options.expect, where(inspection)));
}

/** What is read of an index: for each planned platform the first child, however many others it lists. */
function plannedChildren({ manifests }: Index, { platforms }: InspectOptions): Descriptor[] {
  return platforms.flatMap((planned) => {
    const name = platformOf(parsePlatform(planned));
    return (
      manifests.find(
        (child) =>
          !isAttestation(child) && child.platform !== undefined && platformOf(child.platform) === name,
      ) ?? []
    );
  });
}

/** Checks the index itself. Undefined when it is not an index. */
function checkIndex(
  { value, descriptor }: FetchedManifest,
  inspection: Inspection,
  { platforms, expect = {} }: InspectOptions,
): Index | undefined {
  const wrong = (what: string, remedy?: string): void =>
    void inspection.problems.push({
      kind: "wrong image",
      code: "VERIFY",
      what,
      where: where(inspection),
      ...(remedy === undefined ? {} : { remedy }),
    });
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
  const others = [...new Set(listed)].filter((platform) => !planned.includes(platform));
  for (const platform of others.slice(0, PLATFORMS_SHOWN))
    wrong(`it lists ${platform}, which is not planned`, REPUBLISH);
  if (others.length > PLATFORMS_SHOWN)
    wrong(`it lists ${others.length - PLATFORMS_SHOWN} more platforms that are not planned`, REPUBLISH);
  for (const platform of planned)
    if (listed.filter((other) => other === platform).length > 1)
      wrong(`it lists ${platform} more than once`, REPUBLISH);
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

/** Reads a variant, and checks that this registry has all of it. */
async function inspectVariant(
  child: Descriptor,
  inspection: Inspection,
  cache: ImageCache,
): Promise<CachedVariant | undefined> {
  const { target, problems } = inspection;
  try {
    const manifest = await cache.manifest(target, child);
    const config = cache.config(target, manifest.value);
    const needed = [
      ...(manifest.fetched ? [] : [child]),
      ...(config.shared ? [manifest.value.config] : []),
      ...new Map(manifest.value.layers.map((layer) => [layer.digest, layer])).values(),
    ];
    // At the same time: at a distance, every round trip counts.
    const [read, found] = await Promise.allSettled([
      config.document,
      inParallel(HEADS_AT_ONCE, needed, (descriptor) => whyMissing(target, descriptor, child)),
    ]);
    const { value } = resultOf(read);
    const platform = platformOf(child.platform ?? value);
    const variant = new CachedVariant(platform, child, manifest.value, value);
    const gone = resultOf(found).filter((text) => text !== undefined);
    if (gone.length > 0) {
      problems.push({
        kind: "incomplete",
        code: "NOT_FOUND",
        what: `${platform} is incomplete: ${gone.join("; ")}`,
        where: where(inspection),
        remedy:
          "Publish again, by the same command: missing content is copied from another registry or uploaded.",
      });
    }
    return variant;
  } catch (error) {
    const finding = missing(error, "incomplete");
    const name = child.platform === undefined ? child.digest : platformOf(child.platform);
    problems.push(
      finding.kind === undefined ? finding : { ...finding, what: `${name} is incomplete: ${finding.what}` },
    );
    return undefined;
  }
}

/** A failed read; only one that found nothing is a finding about the image. */
function missing(error: unknown, kind: FindingKind): Finding {
  const problem = foreseenProblem(error);
  return problem.code === "NOT_FOUND" ? { ...problem, kind } : problem;
}

function resultOf<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === "rejected") throw settled.reason;
  return settled.value;
}

/** Why a document or layer of a variant cannot be pulled from here; undefined when it can. */
async function whyMissing(
  { registry, repository }: VerifyTarget,
  { digest, size }: Descriptor,
  child: Descriptor,
): Promise<string | undefined> {
  const found =
    digest === child.digest
      ? (await registry.resolve(repository, digest))?.size
      : await registry.hasBlob(repository, digest, { size });
  if (found === size) return undefined;
  return found === undefined
    ? `${digest} is not in the repository`
    : `${digest} has ${found} bytes there, not ${size}`;
}

function variantProblems(variant: CachedVariant, expect: Expectation = {}, location: string): Finding[] {
  const { platform, config } = variant;
  const actual = platformOf(config);
  return [
    ...(platform === actual ? [] : [`the index says ${platform}, the variant's own config says ${actual}`]),
    ...portabilityProblems(variant).map((text) => `${platform}: ${text}`),
    ...differences(expect.labels ?? {}, config.config?.Labels ?? {}).map(
      (text) => `${platform}: label ${text}`,
    ),
  ].map((what) => ({ kind: "wrong image", code: "VERIFY", what, where: location, remedy: REPUBLISH }));
}

/** The digest that users get, who pull without credentials, or why they do not. */
async function pullAnonymously(
  { repository, reference, registry }: VerifyTarget,
  anonymous: Registry,
): Promise<string | Problem> {
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
    return (await anonymous.resolve(repository, reference))?.digest ?? closed;
  } catch (error) {
    const problem = foreseenProblem(error);
    if (problem.code === "UNAUTHORIZED" || problem.code === "DENIED" || problem.code === "NOT_FOUND")
      return closed;
    return { ...problem, what: `without credentials: ${problem.what}` };
  }
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

export function where({ target: { registry, repository, reference } }: Inspection): string {
  return address(registry, repository, reference);
}
