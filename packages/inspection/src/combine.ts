import { foreseenProblem, TgoError } from "@tgo/errors";
import { isAttestation, platformOf, readBlob } from "@tgo/image";
import {
  address,
  canonicalJson,
  copyImage,
  digestOf,
  DOCKER_CONFIG,
  isIndex,
  OCI_CONFIG,
  OCI_INDEX,
  parseConfig,
  putTag,
  type Descriptor,
  type FetchedManifest,
} from "@tgo/registry";
import { defined } from "@tgo/report";
import { nameOf, readSource, type ImageSource } from "./image-source.js";
import { checkTag, type TagToWrite, type WrittenTag } from "./written-tag.js";

export interface CombineOptions {
  /** Only these of the images' platforms; all when empty. */
  readonly platforms?: readonly string[];
  /** Of the new index. Those of the combined images are not taken over. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Move tags that have another image. A version's tag never moves. */
  readonly move?: boolean;
  /** Write nothing. */
  readonly dryRun?: boolean;
  /** Waits for milliseconds; for tests. */
  readonly sleep?: (milliseconds: number) => Promise<unknown>;
}

/** What was combined, for `combine`. JSON of this shape is part of the command's interface. */
export interface Combination {
  /** Of the new index; the same in every registry. */
  readonly digest: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly platforms: readonly {
    readonly platform: string;
    readonly digest: string;
    /** The reference that it comes from. */
    readonly from: string;
  }[];
  readonly targets: readonly WrittenTag[];
  readonly notes: readonly string[];
}

/** A manifest to list, and where it is. */
interface Part {
  readonly platform: string;
  readonly descriptor: Descriptor;
  readonly source: ImageSource;
}

/**
 * Makes one index of existing images and puts it into several registries, each manifest by its digest, with what the
 * registries lack of it. The same images and annotations make the same digest. Every target is checked before the first
 * write; a failure of one target stops no other.
 * @throws TgoError USAGE for images that cannot be combined, CONFLICT for a tag that must not move, and as Registry does
 *   for images that cannot be read
 */
export async function combine(
  sources: readonly ImageSource[],
  targets: readonly TagToWrite[],
  options: CombineOptions = {},
): Promise<Combination> {
  const { annotations = {}, dryRun = false } = options;
  const notes: string[] = [];
  const read = await Promise.all(sources.map((source) => partsOf(source, notes)));
  const parts = distinct(chosen(read.flat(), options.platforms ?? []));
  const index = {
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: parts.map(({ descriptor }) => descriptor),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
  const bytes = new TextEncoder().encode(canonicalJson(index));
  const digest = digestOf(bytes);
  const before = await Promise.all(targets.map((target) => checkTag(target, digest, options)));
  const written = await Promise.all(
    targets.map(async (target, at): Promise<WrittenTag> => {
      const reference = address(target.registry, target.repository, target.tag);
      const had = before[at];
      const other = had === digest ? undefined : had;
      if (dryRun)
        return defined({
          reference,
          state: had === digest ? ("already there" as const) : ("planned" as const),
          before: other,
        });
      if (had === digest) return { reference, state: "already there" };
      try {
        const sent = await put({ target, parts, bytes, digest, before: had }, options);
        return defined({ reference, state: "done" as const, before: other, ...sent });
      } catch (error) {
        return defined({
          reference,
          state: "failed" as const,
          before: other,
          problem: foreseenProblem(error),
        });
      }
    }),
  );
  return {
    digest,
    annotations,
    platforms: parts.map(({ platform, descriptor, source }) => ({
      platform,
      digest: descriptor.digest,
      from: nameOf(source),
    })),
    targets: written,
    notes,
  };
}

/** The images that a reference names: those that its index lists, or itself. */
async function partsOf(source: ImageSource, notes: string[]): Promise<Part[]> {
  const found = await readSource(source);
  if (!isIndex(found.value)) return [await singlePart(source, found)];
  const attestations = found.value.manifests.filter(isAttestation).length;
  if (attestations > 0)
    notes.push(
      `${nameOf(source)}: ${attestations} attestation manifests are left out, as they name the old index's images`,
    );
  const children = found.value.manifests.filter((child) => !isAttestation(child));
  if (children.length === 0) throw unusable(source, "its index lists no image");
  return children.map((child) => {
    if (child.platform === undefined)
      throw unusable(source, `its index lists ${child.digest} without a platform`);
    return { platform: platformOf(child.platform), descriptor: listed(child), source };
  });
}

async function singlePart(source: ImageSource, { value, descriptor }: FetchedManifest): Promise<Part> {
  if (isIndex(value)) throw new TgoError("INTERNAL", "an index is no single image");
  const { config } = value;
  if (config.mediaType !== OCI_CONFIG && config.mediaType !== DOCKER_CONFIG)
    throw unusable(source, `it is an artifact (${value.artifactType ?? config.mediaType}), not an image`);
  const { registry, repository } = source;
  const bytes = await readBlob(registry, repository, config);
  const { os, architecture, variant } = parseConfig(bytes, address(registry, repository, config.digest));
  if (os === "" || architecture === "") throw unusable(source, "its config names no platform");
  const platform = defined({ os, architecture, variant });
  return { platform: platformOf(platform), descriptor: listed({ ...descriptor, platform }), source };
}

/** What an index says of an image; other tools' annotations may be about their own index. */
function listed({ mediaType, digest, size, platform }: Descriptor): Descriptor {
  return defined({ mediaType, digest, size, platform });
}

/** @throws TgoError USAGE for a platform that no image has */
function chosen(parts: readonly Part[], platforms: readonly string[]): readonly Part[] {
  if (platforms.length === 0) return parts;
  for (const platform of platforms)
    if (!parts.some((part) => part.platform === platform))
      throw new TgoError("USAGE", `none of the images has ${platform}`, {
        remedy: `They have ${[...new Set(parts.map((part) => part.platform))].join(", ")}.`,
      });
  return parts.filter(({ platform }) => platforms.includes(platform));
}

/** Each platform once. @throws TgoError USAGE for two images of one platform */
function distinct(parts: readonly Part[]): Part[] {
  const first = new Map<string, Part>();
  for (const part of parts) {
    const other = first.get(part.platform) ?? part;
    first.set(part.platform, other);
    if (other.descriptor.digest === part.descriptor.digest) continue;
    throw new TgoError(
      "USAGE",
      `${part.platform} is in two of the images: ${nameOf(other.source)} and ${nameOf(part.source)}`,
      { remedy: "Name the image of one platform by its digest (tgo inspect shows it), or leave one out." },
    );
  }
  return [...first.values()];
}

interface Write {
  readonly target: TagToWrite;
  readonly parts: readonly Part[];
  readonly bytes: Uint8Array;
  readonly digest: string;
  readonly before: string | undefined;
}

/** Copies what is missing, then the index, the tag last. */
async function put(
  { target, parts, bytes, digest, before }: Write,
  { sleep }: CombineOptions,
): Promise<{ uploaded: number; mounted: number }> {
  const { registry, repository, tag } = target;
  let uploaded = 0;
  let mounted = 0;
  for (const { source, descriptor } of parts) {
    const from = { registry: source.registry, repository: source.repository };
    const copied = await copyImage({ from, to: { registry, repository }, digest: descriptor.digest });
    uploaded += copied.uploaded.bytes;
    mounted += copied.mounted;
  }
  await registry.putManifest(repository, digest, OCI_INDEX, bytes);
  const read = (): Promise<{ mediaType: string; bytes: Uint8Array }> =>
    Promise.resolve({ mediaType: OCI_INDEX, bytes });
  const written = await putTag({ registry, repository }, { tag, digest, before, read }, sleep);
  const where = address(registry, repository, tag);
  const present = written.state === "written" ? digest : written.present;
  if (written.state === "moved")
    throw new TgoError("CONFLICT", `somebody else wrote the tag right now: it is ${present ?? "removed"}`, {
      where,
      remedy: "When they have finished, run the same command again.",
    });
  if (written.state !== "written")
    throw new TgoError("UNAVAILABLE", `the registry accepted the tag, and returns ${present ?? "nothing"}`, {
      where,
      remedy: "Run the same command again: nothing is sent twice.",
    });
  return { uploaded, mounted };
}

function unusable(source: ImageSource, what: string): TgoError {
  return new TgoError("USAGE", what, { where: nameOf(source) });
}
