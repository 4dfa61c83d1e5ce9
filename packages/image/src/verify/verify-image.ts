import type { Problem } from "@tgo/errors";
import type { ElfReport } from "../elf/elf-scan.js";
import type { Platform } from "../platform.js";
import { ImageCache, type CachedVariant } from "./image-cache.js";
import { verifyTarget, where, type Inspection } from "./verify-target.js";
import type {
  FindingKind,
  InspectedImage,
  InspectOptions,
  RemedyFor,
  VerifyTarget,
} from "./verify-options.js";

export interface VerifyOptions extends InspectOptions {
  readonly targets: readonly VerifyTarget[];
  /** Reads every layer and checks the machine of every ELF file. */
  readonly elf?: boolean;
  /** Path patterns of files that may be for another machine. */
  readonly allowForeign?: readonly string[];
  readonly remedyFor?: RemedyFor;
}

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
  /** Of the index. */
  readonly annotations: Readonly<Record<string, string>>;
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
  const elf =
    options.elf === true && reference !== undefined
      ? await (await import("./verify-elf.js")).verifyElf(reference, inspections, options.allowForeign)
      : new Map<string, ElfReport>();
  const all = inspections.map(inspectedImage);
  const targets = inspections.map((inspection, at) =>
    reported(inspection, (kind) => options.remedyFor?.(kind, all[at] ?? inspectedImage(inspection), all)),
  );
  return {
    ok: targets.length > 0 && targets.every(({ state }) => state === "verified"),
    digest,
    targets,
    variants: (reference?.variants ?? []).map((variant) => reportedVariant(variant, elf.get(variant.digest))),
    annotations: reference?.index?.annotations ?? {},
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
    problems: shown.map(({ kind, ...problem }) => {
      const remedy = kind && remedyFor(kind);
      return remedy === undefined ? problem : { ...problem, remedy };
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
