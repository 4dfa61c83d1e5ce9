import { formatReference, onceByDigest, parseReference, type Descriptor } from "@tgo/registry";
import type { ElfReport } from "../elf/elf-scan.js";
import { fittingMachines } from "../machines/machine-scan.js";
import type { CachedVariant } from "./image-cache.js";
import type { Check, CheckName } from "./check.js";
import type { VerifyOptions } from "./verify-options.js";
import { where, type Inspection } from "./verify-target.js";

/** What verification has found. */
export interface Facts {
  readonly inspections: readonly Inspection[];
  /** The place whose image was read; undefined when none has an index of images. */
  readonly reference: Inspection | undefined;
  /** By the variants' digests. */
  readonly elf: ReadonlyMap<string, ElfReport>;
  /** What only some variants contain; undefined where not all were read. */
  readonly differences: readonly string[] | undefined;
  readonly options: VerifyOptions;
}

/** The facts about an image that was found. */
type ImageFacts = Facts & { readonly reference: Inspection };

/** What a check saw when nothing is wrong. */
type Seen = Pick<Check, "evidence"> & { readonly state?: "note" | "skipped" };

const NOT_READ: Seen = { state: "skipped", evidence: ["not read"] };

/**
 * All checks, in the order of a report. A check without evidence is not listed: it does not concern this image, or was
 * not asked for. What is checked further gets a line here, and its problems this check's name.
 */
const CHECKS: readonly (readonly [name: CheckName, seen: (facts: ImageFacts) => Seen | undefined])[] = [
  ["same digest", sameDigest],
  ["index type", indexType],
  ["platforms", platforms],
  ["manifests", manifests],
  ["configs", configs],
  ["layers", layers],
  ["diff_ids", diffIds],
  ["ELF machines", elfMachines],
  ["link proof", linkProof],
  ["promised machines", promisedMachines],
  ["parity", parity],
  ["annotations and labels", texts],
  ["pull without credentials", anonymousPull],
  ["base", baseAge],
  ["referrers", referrers],
];

/** Every check of this verification, with its evidence. */
export function listChecks(facts: Facts): Check[] {
  const { inspections, reference } = facts;
  const problems = inspections.flatMap((inspection) =>
    inspection.problems.map(({ check, what }) => ({ check, what })),
  );
  const notes = inspections.flatMap((inspection) => inspection.notes);
  const conclude = (name: CheckName, seen: Seen | undefined): Check[] => {
    const failed = unique(problems.flatMap(({ check, what }) => (check === name ? firstLine(what) : [])));
    if (failed.length > 0) return [{ name, state: "failed", evidence: failed }];
    const noted = unique(notes.flatMap(({ check, text }) => (check === name ? text : [])));
    if (seen === undefined && noted.length === 0) return [];
    const state = noted.length > 0 ? "note" : (seen?.state ?? "ok");
    return [{ name, state, evidence: [...(seen?.evidence ?? []), ...noted] }];
  };
  return [
    ...conclude("found", {
      evidence: inspections.map((inspection) => `${where(inspection)}: ${inspection.digest ?? "nothing"}`),
    }),
    ...CHECKS.flatMap(([name, seen]) =>
      conclude(name, reference === undefined ? undefined : seen({ ...facts, reference })),
    ),
  ];
}

function sameDigest({ inspections, reference, options }: ImageFacts): Seen | undefined {
  if (inspections.length < 2 && options.expect?.digest === undefined) return undefined;
  const having = inspections.filter(({ digest }) => digest !== undefined).length;
  const all = inspections.length;
  // Other digests are problems of this check; where none was seen, another check says why.
  return having === all
    ? { evidence: [`${reference.digest ?? ""} in all ${all}`] }
    : { state: "note", evidence: [`${reference.digest ?? ""} in ${having} of ${all}`] };
}

function indexType({ reference }: ImageFacts): Seen | undefined {
  const { index, descriptor } = reference;
  return index && { evidence: [`${index.mediaType}, ${descriptor?.size ?? 0} bytes`] };
}

function platforms({ reference }: ImageFacts): Seen {
  return { evidence: [reference.variants.map(({ platform }) => platform).join(", ")] };
}

function manifests({ reference }: ImageFacts): Seen {
  return { evidence: reference.variants.map(({ platform, digest }) => `${platform}: ${digest}`) };
}

function configs({ reference }: ImageFacts): Seen {
  return {
    evidence: reference.variants.map(
      ({ platform, config }) => `${platform}: os ${config.os}, architecture ${config.architecture}`,
    ),
  };
}

function layers({ reference, elf, options }: ImageFacts): Seen {
  if (options.presence === false) return NOT_READ;
  const all = layersOf(reference.variants);
  const bytes = all.reduce((sum, { size }) => sum + size, 0);
  const read = elf.size > 0 ? "read, each with its digest and size" : "there, each with its size";
  return { evidence: [`${all.length} layers of ${bytes} bytes: ${read}`] };
}

function diffIds({ reference, elf }: ImageFacts): Seen {
  if (elf.size === 0) return NOT_READ;
  const all = new Set(reference.variants.flatMap(({ config }) => config.rootfs.diff_ids));
  return { evidence: [`${all.size} match the unpacked layers`] };
}

function elfMachines({ reference, elf }: ImageFacts): Seen {
  if (elf.size === 0) return NOT_READ;
  return {
    evidence: reference.variants.flatMap(({ platform, digest }) => {
      const report = elf.get(digest);
      if (report === undefined) return [];
      const machines = Object.entries(report.machines).map(([machine, files]) => `${files} ${machine}`);
      return `${platform}: ${report.files} files, ELF: ${machines.join(", ") || "none"}`;
    }),
  };
}

function linkProof({ reference, elf }: ImageFacts): Seen {
  if (elf.size === 0) return NOT_READ;
  return {
    evidence: reference.variants.flatMap(({ platform, digest }) => {
      const links = elf.get(digest)?.links;
      if (links === undefined) return [];
      const { length } = links.notes;
      const noted = length === 0 ? "" : `; ${length} ${length === 1 ? "note" : "notes"}`;
      return `${platform}: ${links.roots} programs and modules load ${links.libraries} libraries${noted}`;
    }),
  };
}

function promisedMachines({ reference, elf, options }: ImageFacts): Seen | undefined {
  const machines = options.machines ?? {};
  const evidence = reference.variants.flatMap(({ platform, digest }) => {
    const promised = (machines[platform] ?? []).map(({ name }) => name);
    const names = fittingMachines(promised, elf.get(digest)?.misfits);
    if (promised.length === 0) return [];
    return `${platform}: all files can be loaded on ${names.join(", ") || "none of them"}`;
  });
  if (evidence.length === 0) return undefined;
  return elf.size === 0 ? NOT_READ : { evidence };
}

function parity({ reference, differences }: ImageFacts): Seen | undefined {
  if (reference.variants.length < 2) return undefined;
  if (differences === undefined) return NOT_READ;
  if (differences.length > 0) return { state: "note", evidence: differences };
  return { evidence: ["the same packages and files on all platforms, apart from their architecture"] };
}

function texts({ reference, options }: ImageFacts): Seen {
  const annotations = Object.keys(reference.index?.annotations ?? {}).length;
  const labels = reference.variants.map(
    ({ platform, config }) => `${platform}: ${Object.keys(config.config?.Labels ?? {}).length} labels`,
  );
  const expected = Object.keys({ ...options.expect?.annotations, ...options.expect?.labels }).length;
  const compared = expected === 0 ? "" : `, ${expected} as planned`;
  return { evidence: [`index: ${annotations} annotations${compared}`, ...labels] };
}

function anonymousPull({ inspections }: ImageFacts): Seen | undefined {
  const tried = inspections.filter(({ anonymous }) => anonymous !== undefined);
  if (tried.length === 0) return undefined;
  return { evidence: tried.map((inspection) => `${where(inspection)}: possible`) };
}

const BASE_NAME = "org.opencontainers.image.base.name";
const BASE_DIGEST = "org.opencontainers.image.base.digest";

/** How the image's base compares with the lock: https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md */
function baseAge({ reference, options }: ImageFacts): Seen | undefined {
  const { bases } = options;
  if (bases === undefined) return undefined;
  const evidence = unique(
    reference.variants.map(({ manifest, child, config }) => {
      const named = {
        ...config.config?.Labels,
        ...reference.index?.annotations,
        ...child.annotations,
        ...manifest.annotations,
      };
      return ageOfBase(named[BASE_NAME], named[BASE_DIGEST], bases);
    }),
  );
  return evidence.every((text) => text.startsWith("fresh")) ? { evidence } : { state: "note", evidence };
}

/** "fresh: …", "stale: …" or "unknown: …". */
function ageOfBase(
  name: string | undefined,
  digest: string | undefined,
  bases: Readonly<Record<string, string>>,
): string {
  if (name === undefined) return `unknown: the image has no ${BASE_NAME}`;
  const tagged = taggedName(name);
  const locked = tagged === undefined || !Object.hasOwn(bases, tagged) ? undefined : bases[tagged];
  if (locked === undefined) return `unknown: the base lock has no ${tagged ?? name}`;
  if (digest === undefined) return `unknown: the image has no ${BASE_DIGEST}; the lock has ${tagged ?? name}`;
  if (digest === locked) return `fresh: ${tagged ?? name} is ${digest}, as locked`;
  return `stale: ${tagged ?? name} was ${digest}; the lock has ${locked}`;
}

/** A base's name as the lock has it: with host and tag, without a digest. */
function taggedName(name: string): string | undefined {
  try {
    const { host, repository, tag = "latest" } = parseReference(name);
    return formatReference({ host, repository, tag });
  } catch {
    return undefined;
  }
}

function referrers({ inspections, options }: ImageFacts): Seen | undefined {
  if (options.referrers !== true) return undefined;
  const evidence = inspections.flatMap((inspection) => {
    const { referrers: found } = inspection;
    if (found === undefined) return [];
    const types = found.entries.map(({ artifactType, mediaType }) => artifactType ?? mediaType);
    return `${where(inspection)}: ${counted(types) || "none"}${found.source === "tag" && types.length > 0 ? " (listed by tag)" : ""}`;
  });
  return { evidence };
}

/** "2 × a, b" */
function counted(words: readonly string[]): string {
  return unique(words)
    .map((word) => {
      const times = words.filter((other) => other === word).length;
      return times === 1 ? word : `${times} × ${word}`;
    })
    .join(", ");
}

function layersOf(variants: readonly CachedVariant[]): Descriptor[] {
  return onceByDigest(variants.flatMap(({ manifest }) => manifest.layers));
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
