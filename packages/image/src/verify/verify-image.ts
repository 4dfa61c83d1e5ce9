import { problemOf, type Problem } from "@tgo/errors";
import type { ElfReport } from "../elf/elf-scan.js";
import type { Platform } from "../platform.js";
import { knowsPrograms } from "../elf/elf-machine.js";
import { readsZstd, zstdUnreadable } from "../layers/zstd.js";
import type { Check } from "./check.js";
import { listChecks } from "./checks.js";
import { ImageCache, type CachedVariant } from "./image-cache.js";
import { isReadableLayer, isZstdLayer } from "./layer-types.js";
import type { CheckedContent } from "./verify-elf.js";
import { verifyTarget, where, type Inspection } from "./verify-target.js";
import type { FindingKind, InspectedImage, VerifyOptions } from "./verify-options.js";

export interface VerifiedTarget {
  readonly name: string;
  /** `host/repository:tag`, or `host/repository@digest`. */
  readonly reference: string;
  readonly state: "verified" | "failed";
  /** Of the bytes this registry sent; undefined when it sent none. */
  readonly digest: string | undefined;
  readonly problems: readonly Problem[];
  readonly durationMs: number;
}

export interface VerifiedVariant {
  readonly platform: Platform;
  readonly digest: string;
  readonly configDigest: string;
  /** What a pull transfers: config and layers, compressed, in bytes. */
  readonly size: number;
  /** From the variant's own config. */
  readonly architecture: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly elf?: ElfReport;
}

export interface Verification {
  /** Every target is verified. */
  readonly ok: boolean;
  /** The digest that the targets have, or most of them. */
  readonly digest: string | undefined;
  readonly targets: readonly VerifiedTarget[];
  readonly variants: readonly VerifiedVariant[];
  /** What only some variants contain, one line each; absent where the layers were not read. */
  readonly differences?: readonly string[];
  /** Of the index. */
  readonly annotations: Readonly<Record<string, string>>;
  /** What was checked, in order, with what was seen. */
  readonly checks: readonly Check[];
}

/**
 * Checks what users will pull, in all registries at once.
 *
 * The index is read from every registry and its digest computed from the bytes. What it lists is read once by digest,
 * from the registry that has it first; in the others, only its presence is checked. Problems are collected by target;
 * a registry that is down is a problem of its own target.
 * @throws TgoError INTERRUPTED only
 */
export async function verifyImage(options: VerifyOptions): Promise<Verification> {
  const cache = new ImageCache();
  const inspections = await Promise.all(
    options.targets.map((target) => verifyTarget(target, options, cache)),
  );
  const digest =
    options.expect?.digest ?? mostCommon(inspections.flatMap((inspection) => inspection.digest ?? []));
  compareDigests(inspections, digest, options.expect?.digest !== undefined);
  const reference =
    inspections.find((inspection) => inspection.digest === digest && inspection.variants.length > 0) ??
    inspections.find(({ index }) => index !== undefined);
  const content: CheckedContent =
    options.elf === true && reference !== undefined
      ? await (
          await import("./verify-elf.js")
        ).verifyElf(readable(reference, inspections), inspections, options)
      : { reports: new Map(), differences: undefined };
  const all = inspections.map(inspectedImage);
  const targets = inspections.map((inspection, at) =>
    reported(inspection, (kind) => options.remedyFor?.(kind, all[at] ?? inspectedImage(inspection), all)),
  );
  return {
    ok: targets.length > 0 && targets.every(({ state }) => state === "verified"),
    digest,
    targets,
    variants: (reference?.variants ?? []).map((variant) =>
      reportedVariant(variant, content.reports.get(variant.digest)),
    ),
    ...(content.differences === undefined ? {} : { differences: content.differences }),
    annotations: reference?.index?.annotations ?? {},
    checks: listChecks({
      ...{ inspections, reference, options },
      ...{ elf: content.reports, differences: content.differences },
    }),
  };
}

/** Without the variants that this program cannot read: why is told once, and not once for each layer. */
function readable(reference: Inspection, inspections: readonly Inspection[]): Inspection {
  const same = inspections.filter(({ digest }) => digest === reference.digest);
  const isZstd = reference.variants.some(({ manifest }) => manifest.layers.some(isZstdLayer));
  const lacksZstd = isZstd && !readsZstd();
  if (lacksZstd)
    for (const inspection of same)
      inspection.problems.push({ ...problemOf(zstdUnreadable()), where: where(inspection), check: "layers" });
  const unknown = reference.variants.filter(({ platform }) => !knowsPrograms(platform));
  for (const { platform } of unknown)
    reference.notes.push({
      check: "ELF machines",
      text: `${platform} is not read: no ELF machine is known for it`,
    });
  return {
    ...reference,
    variants: reference.variants.filter(
      (variant) =>
        !unknown.includes(variant) &&
        variant.manifest.layers.every(
          (layer) => isReadableLayer(layer) && !(lacksZstd && isZstdLayer(layer)),
        ),
    ),
  };
}

function compareDigests(
  inspections: readonly Inspection[],
  digest: string | undefined,
  expected: boolean,
): void {
  const owner = inspections.find((inspection) => inspection.digest === digest)?.target.name ?? "the others";
  for (const inspection of inspections) {
    if (inspection.digest === undefined || digest === undefined || inspection.digest === digest) continue;
    inspection.problems.unshift({
      kind: "other digest",
      check: "same digest",
      code: "VERIFY",
      what: `it is ${inspection.digest}, ${expected ? `expected ${digest}` : `while ${owner} has ${digest}`}`,
      where: where(inspection),
      remedy:
        "Every registry must have the same digest. Find out who pushed the other one, then run the same command again.",
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

function inspectedImage({ target, digest, index, problems }: Inspection): InspectedImage {
  return {
    name: target.name,
    digest,
    version: index?.annotations?.["org.opencontainers.image.version"],
    complete: index !== undefined && !problems.some(({ kind }) => kind === "incomplete"),
  };
}

function reported(
  inspection: Inspection,
  remedyFor: (kind: FindingKind) => string | undefined,
): VerifiedTarget {
  const { target, digest, problems, durationMs } = inspection;
  // Report a registry that is down only once.
  const down = problems.some(
    ({ code, what }) => code === "UNAVAILABLE" && !what.startsWith("without credentials"),
  );
  const shown = problems.filter(({ what }) => !(down && what.startsWith("without credentials")));
  return {
    name: target.name,
    reference: where(inspection),
    state: shown.length === 0 ? "verified" : "failed",
    digest,
    problems: shown.map(({ kind, code, what, where: location, remedy: own }) => {
      const remedy = (kind && remedyFor(kind)) ?? own;
      return {
        code,
        what,
        ...(location === undefined ? {} : { where: location }),
        ...(remedy === undefined ? {} : { remedy }),
      };
    }),
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
