import { foreseenProblem, type Problem } from "@tgo/errors";
import {
  DOCKER_CONFIG,
  OCI_CONFIG,
  OCI_INDEX,
  address,
  type FetchedManifest,
  inParallel,
  type Registry,
  isIndex,
  onceByDigest,
  type Descriptor,
  type Index,
  type ManifestOrIndex,
  type Referrers,
} from "@tgo/registry";
import type { CheckName } from "./check.js";
import { CachedVariant, type ImageCache } from "./image-cache.js";
import { isForeignLayer } from "./layer-types.js";
import { parsePlatform, platformOf, type Platform } from "../platform.js";
import { portabilityProblems } from "./portable-variant.js";
import { isAttestation } from "../read-staged-image.js";
import type { Expectation, FindingKind, InspectOptions, VerifyTarget } from "./verify-options.js";

/** A problem, what its remedy depends on, and the check that found it. */
export type Finding = Problem & { readonly kind?: FindingKind; readonly check?: CheckName };

/** What is known about one target so far. */
export interface Inspection {
  readonly target: VerifyTarget;
  readonly problems: Finding[];
  /** What is no problem, and should be known. */
  readonly notes: { readonly check: CheckName; readonly text: string }[];
  digest: string | undefined;
  /** What the registry serves: its media type and size. */
  descriptor: Descriptor | undefined;
  index: Index | undefined;
  /** Undefined when they were not asked for, or could not be read. */
  referrers: Referrers | undefined;
  /** Whether it could be pulled without credentials; undefined when that was not tried. */
  anonymous: boolean | undefined;
  variants: readonly CachedVariant[];
  durationMs: number;
}

const HEADS_AT_ONCE = 16;

const PLATFORMS_SHOWN = 5;

const REPUBLISH = "Build and publish it again.";
const NOT_AN_IMAGE = "Give the reference of an image. oras and regctl read artifacts.";

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
    notes: [],
    digest: undefined,
    descriptor: undefined,
    index: undefined,
    referrers: undefined,
    anonymous: undefined,
    variants: [],
    durationMs: 0,
  };
  const [, anonymous] = await Promise.all([
    inspect(inspection, options, cache).catch((error: unknown) =>
      inspection.problems.push({ ...missing(error, "missing"), check: "found" }),
    ),
    target.anonymous === undefined ? undefined : pullAnonymously(target, target.anonymous),
  ]);
  // Skip the access check when the image is missing.
  if (inspection.digest !== undefined) {
    if (anonymous !== undefined) inspection.anonymous = anonymous === inspection.digest;
    if (typeof anonymous === "object")
      inspection.problems.push({ ...anonymous, check: "pull without credentials" });
    else if (anonymous !== undefined && anonymous !== inspection.digest)
      inspection.problems.push({
        check: "pull without credentials",
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
  inspection.descriptor = found.descriptor;
  if (found.servedAs !== undefined)
    inspection.notes.push({ check: "index type", text: servedAs(where(inspection), found.servedAs) });
  const index = checkIndex(found, inspection, options);
  if (index === undefined) return;
  inspection.index = index;
  const [variants] = await Promise.all([
    Promise.all(
      plannedChildren(index, options).map((child) => inspectVariant(child, inspection, cache, options)),
    ),
    options.referrers === true ? readReferrers(inspection, found.descriptor.digest) : undefined,
  ]);
  inspection.variants = variants.filter((variant) => variant !== undefined);
  for (const variant of inspection.variants)
    inspection.problems.push(...variantProblems(variant, options.expect, where(inspection)));
}

/** Docker and containerd take the Content-Type for the type of the manifest: containerd, core/remotes/docker/resolver.go. */
function servedAs(address: string, type: string): string {
  const sent = type === "" ? "without a Content-Type" : `as ${type}`;
  return `${address} is served ${sent}: Docker and containerd may refuse to pull it`;
}

/** Somebody else's registry may not let everybody list them: that is no problem of the image. */
async function readReferrers(inspection: Inspection, digest: string): Promise<void> {
  const { registry, repository } = inspection.target;
  try {
    inspection.referrers = await registry.referrers(repository, digest);
  } catch (error) {
    const { what } = foreseenProblem(error);
    inspection.notes.push({ check: "referrers", text: `they cannot be read: ${what}` });
  }
}

/** What is read of an index: for each planned platform the first child, however many others it lists. */
function plannedChildren(index: Index, options: InspectOptions): Descriptor[] {
  return plannedPlatforms(index, options).flatMap(
    (planned) =>
      index.manifests.find(
        (child) =>
          !isAttestation(child) && child.platform !== undefined && platformOf(child.platform) === planned,
      ) ?? [],
  );
}

/** The platforms to check: by default those that the index lists, in its order. */
function plannedPlatforms({ manifests }: Index, { platforms }: InspectOptions): Platform[] {
  if (platforms !== undefined) return platforms.map((platform) => platformOf(parsePlatform(platform)));
  const listed = manifests.filter((child) => !isAttestation(child));
  return [...new Set(listed.flatMap(({ platform }) => (platform === undefined ? [] : platformOf(platform))))];
}

/** Checks the index itself. Undefined when it is not an index of images. */
function checkIndex(
  { value, descriptor }: FetchedManifest,
  inspection: Inspection,
  options: InspectOptions,
): Index | undefined {
  const { anyImage = false, expect = {} } = options;
  const wrong = (check: CheckName, what: string, remedy?: string): void =>
    void inspection.problems.push({
      kind: "wrong image",
      check,
      code: "VERIFY",
      what,
      where: where(inspection),
      ...(remedy === undefined ? {} : { remedy }),
    });
  /** What only our own images must not be. */
  const unusual = (check: CheckName, what: string, remedy: string): void => {
    if (anyImage) inspection.notes.push({ check, text: what });
    else wrong(check, what, remedy);
  };
  const artifact = artifactTypeOf(value);
  if (artifact !== undefined) {
    wrong("index type", `it is an artifact (${artifact}), not an image`, NOT_AN_IMAGE);
    return undefined;
  }
  if (!isIndex(value)) {
    wrong(
      "index type",
      `it is a single manifest (${descriptor.mediaType}), not an index of platforms`,
      REPUBLISH,
    );
    return undefined;
  }
  if (value.mediaType !== OCI_INDEX)
    unusual("index type", `its media type is ${value.mediaType}, not ${OCI_INDEX}`, REPUBLISH);

  const children = value.manifests.filter((child) => !isAttestation(child));
  const attestations = value.manifests.length - children.length;
  if (children.length === 0) {
    const what = attestations === 0 ? "nothing" : `${attestations} attestation manifests and no image`;
    wrong("platforms", `it lists ${what}`, REPUBLISH);
    return undefined;
  }
  if (attestations > 0)
    unusual(
      "platforms",
      `it lists ${attestations} attestation manifests`,
      "Build with provenance and SBOM off.",
    );
  const planned = plannedPlatforms(value, options);
  const listed = children.map(({ platform }) =>
    platform === undefined ? "no platform" : platformOf(platform),
  );
  for (const platform of planned)
    if (!listed.includes(platform)) wrong("platforms", `${platform} is missing`, REPUBLISH);
  const others = [...new Set(listed)].filter((platform) => !planned.includes(platform));
  for (const platform of others.slice(0, PLATFORMS_SHOWN)) {
    if (platform === "no platform" && anyImage)
      wrong("platforms", "it lists a manifest without a platform: no client can choose it", REPUBLISH);
    else unusual("platforms", `it lists ${platform}, which is not planned`, REPUBLISH);
  }
  if (others.length > PLATFORMS_SHOWN)
    unusual(
      "platforms",
      `it lists ${others.length - PLATFORMS_SHOWN} more platforms that are not planned`,
      REPUBLISH,
    );
  for (const platform of planned)
    if (listed.filter((other) => other === platform).length > 1)
      wrong("platforms", `it lists ${platform} more than once`, REPUBLISH);
  for (const text of differences(expect.annotations ?? {}, value.annotations ?? {}))
    wrong("annotations and labels", `annotation ${text}`, REPUBLISH);
  for (const { platform, digest } of expect.variants ?? []) {
    const child = children.find(
      (other) => other.platform !== undefined && platformOf(other.platform) === platform,
    );
    if (child !== undefined && child.digest !== digest)
      wrong("manifests", `${platform} is ${child.digest}, expected ${digest}`, REPUBLISH);
  }
  return value;
}

/** The type of an artifact that is no image; undefined for an image or an index of images. */
function artifactTypeOf(value: ManifestOrIndex): string | undefined {
  if (isIndex(value)) return value.manifests.length === 0 ? value.artifactType : undefined;
  const { mediaType } = value.config;
  return mediaType === OCI_CONFIG || mediaType === DOCKER_CONFIG
    ? undefined
    : (value.artifactType ?? mediaType);
}

/** Reads a variant, and checks that this registry has all of it. */
async function inspectVariant(
  child: Descriptor,
  inspection: Inspection,
  cache: ImageCache,
  { presence = true }: InspectOptions,
): Promise<CachedVariant | undefined> {
  const { target, problems } = inspection;
  try {
    const manifest = await cache.manifest(target, child);
    const config = cache.config(target, manifest.value);
    const blobs = [
      ...(config.shared ? [manifest.value.config] : []),
      ...manifest.value.layers.filter((layer) => !isForeignLayer(layer)),
    ];
    const needed = [...(manifest.fetched ? [] : [child]), ...(presence ? onceByDigest(blobs) : [])];
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
        check: "layers",
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
    problems.push({
      ...finding,
      check: "manifests",
      ...(finding.kind === undefined ? {} : { what: `${name} is incomplete: ${finding.what}` }),
    });
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
  const wrong = (check: CheckName, what: string): Finding => ({
    kind: "wrong image",
    check,
    code: "VERIFY",
    what,
    where: location,
    remedy: REPUBLISH,
  });
  return [
    ...(platform === actual
      ? []
      : [wrong("configs", `the index says ${platform}, the variant's own config says ${actual}`)]),
    ...portabilityProblems(variant).map(({ check, what }) => wrong(check, `${platform}: ${what}`)),
    ...differences(expect.labels ?? {}, config.config?.Labels ?? {}).map((text) =>
      wrong("annotations and labels", `${platform}: label ${text}`),
    ),
  ];
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
