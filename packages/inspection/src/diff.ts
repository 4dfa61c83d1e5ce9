import { FilesReader, readPackages, type ImageFile, type PackageKind } from "@tgo/image";
import { defined } from "@tgo/report";
import type { ImageSource } from "./image-source.js";
import type { ConfigTree, ImageTree, PlatformTree } from "./image-tree.js";
import { requireImage } from "./require-image.js";

/** Something that both images have, with different values; absent where one lacks it. */
export interface Change {
  readonly name: string;
  readonly a?: string;
  readonly b?: string;
}

/** A package of which the images have other versions. */
export interface PackageChange extends Change {
  readonly kind: PackageKind;
}

export interface FileChange {
  /** From the image's root. */
  readonly path: string;
  readonly change: "added" | "removed" | "changed";
  /** What differs of a changed file: "content", "mode", "owner", "time", "type", "target". */
  readonly what: readonly string[];
  /** Bytes in A and in B; 0 where there is no such regular file. */
  readonly sizeA: number;
  readonly sizeB: number;
}

export interface PlatformDiff {
  readonly platform: string;
  /** Only one of the images has it: the rest is empty. */
  readonly only?: "a" | "b";
  readonly same: boolean;
  readonly packages: readonly PackageChange[];
  readonly config: readonly Change[];
  /** The first {@link MAX_FILES}, by path. */
  readonly files: readonly FileChange[];
  /** How many files differ, all of them. */
  readonly filesChanged: number;
  /** What a pull transfers, in bytes; absent where one lacks the platform. */
  readonly sizeA?: number;
  readonly sizeB?: number;
}

/** Two images compared, for `diff`. JSON of this shape is part of the command's interface. */
export interface ImageDiff {
  readonly a: string;
  readonly b: string;
  readonly digestA: string;
  readonly digestB: string;
  /** Times were not compared. */
  readonly semantic: boolean;
  readonly same: boolean;
  /** Annotations of the index, its media type, its attestations. */
  readonly index: readonly Change[];
  readonly platforms: readonly PlatformDiff[];
  readonly notes: readonly string[];
}

/** Files that are listed of one platform. */
const MAX_FILES = 10_000;

/** Annotations and labels that are times. */
const TIMES: ReadonlySet<string> = new Set([
  "org.opencontainers.image.created",
  "org.label-schema.build-date",
]);

/**
 * Compares two images: packages, configuration and files of each platform. Layers are compared by what they unpack to,
 * whatever tool packed them; of platforms with the same digest none is read.
 * @throws TgoError as Registry does; VERIFY for an artifact
 */
export async function diffImages(
  [a, b]: readonly [ImageSource, ImageSource],
  {
    semantic = false,
    platforms = [],
  }: { readonly semantic?: boolean; readonly platforms?: readonly string[] } = {},
): Promise<ImageDiff> {
  const [treeA, treeB] = await Promise.all([requireImage(a, platforms), requireImage(b, platforms)]);
  const reader = new FilesReader();
  const names = [...new Set([...treeA.platforms, ...treeB.platforms].map(({ platform }) => platform))];
  const compared = await Promise.all(
    names.map(async (platform): Promise<PlatformDiff> => {
      const [inA, inB] = [platformIn(treeA, platform), platformIn(treeB, platform)];
      const sizes = defined({ sizeA: inA?.size, sizeB: inB?.size });
      const nothing = { packages: [], config: [], files: [], filesChanged: 0, ...sizes };
      if (inA === undefined || inB === undefined)
        return { platform, only: inA === undefined ? "b" : "a", same: false, ...nothing };
      if (inA.digest === inB.digest) return { platform, same: true, ...nothing };
      const [filesA, filesB] = await Promise.all([reader.read(a, inA.layers), reader.read(b, inB.layers)]);
      const packages = packageChanges(filesA, filesB);
      const config = configChanges(inA, inB, semantic);
      const files = fileChanges(filesA, filesB, semantic);
      const same = packages.length + config.length + files.length === 0;
      const listed = files.slice(0, MAX_FILES);
      return { platform, same, ...nothing, packages, config, files: listed, filesChanged: files.length };
    }),
  );
  const index = indexChanges(treeA, treeB, semantic);
  return {
    a: treeA.reference,
    b: treeB.reference,
    digestA: treeA.digest,
    digestB: treeB.digest,
    semantic,
    same: index.length === 0 && compared.every(({ same }) => same),
    index,
    platforms: compared,
    notes: [...new Set([...treeA.notes, ...treeB.notes])],
  };
}

function platformIn(tree: ImageTree, platform: string): PlatformTree | undefined {
  return tree.platforms.find((each) => each.platform === platform);
}

type Files = ReadonlyMap<string, ImageFile>;

function packageChanges(a: Files, b: Files): PackageChange[] {
  const [inA, inB] = [versionsIn(a), versionsIn(b)];
  const keys = [...new Set([...inA.keys(), ...inB.keys()])].sort();
  return keys.flatMap((key) => {
    const [before, after] = [inA.get(key), inB.get(key)];
    if (before === after) return [];
    const [kind = "", name = ""] = key.split("\n");
    return defined({ kind: kind as PackageKind, name, a: before, b: after });
  });
}

/** Versions by kind and name; several, as npm installs them, in one text. */
function versionsIn(files: Files): Map<string, string> {
  const contents = [...files].flatMap(([path, { content }]) =>
    content === undefined ? [] : [[path, content] as const],
  );
  const versions = new Map<string, Set<string>>();
  for (const { kind, name, version } of readPackages(contents).packages) {
    const key = `${kind}\n${name}`;
    versions.set(key, (versions.get(key) ?? new Set()).add(version));
  }
  return new Map([...versions].map(([key, all]) => [key, [...all].sort().join(", ")]));
}

function configChanges(a: PlatformTree, b: PlatformTree, semantic: boolean): Change[] {
  const of = ({ config, annotations, history }: PlatformTree): Record<string, string> => ({
    ...(config === undefined ? {} : configTexts(config, semantic)),
    ...prefixed("annotation", annotations, semantic),
    history: history
      .map(({ created, createdBy }) => (semantic ? createdBy : `${created ?? ""} ${createdBy}`))
      .join("\n"),
  });
  return changes(of(a), of(b));
}

function configTexts(config: ConfigTree, semantic: boolean): Record<string, string> {
  const { labels, env, created } = config;
  const apart = new Set(["digest", "labels", "env", "created"]);
  const texts = Object.entries(config)
    .filter(([name]) => !apart.has(name))
    .map(([name, value]: [string, unknown]) => [
      name,
      typeof value === "string" ? value : JSON.stringify(value),
    ]);
  const variables = env.map((entry) => {
    const [name = ""] = entry.split("=");
    return [`env ${name}`, entry.slice(name.length + 1)];
  });
  return {
    ...(Object.fromEntries([...texts, ...variables]) as Record<string, string>),
    ...prefixed("label", labels, semantic),
    ...(semantic || created === undefined ? {} : { created }),
  };
}

function indexChanges(a: ImageTree, b: ImageTree, semantic: boolean): Change[] {
  const of = ({ kind, mediaType, annotations, attestations }: ImageTree): Record<string, string> => ({
    kind,
    "media type": mediaType,
    attestations: String(attestations.length),
    ...prefixed("annotation", annotations, semantic),
  });
  return changes(of(a), of(b));
}

function prefixed(
  prefix: string,
  texts: Readonly<Record<string, string>>,
  semantic: boolean,
): Record<string, string> {
  const compared = Object.entries(texts).filter(([name]) => !(semantic && TIMES.has(name)));
  return Object.fromEntries(compared.map(([name, value]) => [`${prefix} ${name}`, value]));
}

function changes(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): Change[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((name) =>
    a[name] === b[name] ? [] : defined({ name, a: a[name], b: b[name] }),
  );
}

function fileChanges(a: Files, b: Files, semantic: boolean): FileChange[] {
  const paths = [...new Set([...a.keys(), ...b.keys()])].sort();
  return paths.flatMap((path): FileChange[] => {
    const [before, after] = [a.get(path), b.get(path)];
    const sizes = { sizeA: before?.size ?? 0, sizeB: after?.size ?? 0 };
    if (before === undefined) return [{ path, change: "added", what: [], ...sizes }];
    if (after === undefined) return [{ path, change: "removed", what: [], ...sizes }];
    const what = differences(before, after, semantic);
    return what.length === 0 ? [] : [{ path, change: "changed", what, ...sizes }];
  });
}

function differences(a: ImageFile, b: ImageFile, semantic: boolean): string[] {
  const compared = {
    type: a.type === b.type,
    content: a.sha256 === b.sha256,
    target: a.target === b.target,
    mode: a.mode === b.mode,
    owner: a.owner === b.owner,
    time: semantic || a.mtime === b.mtime,
  };
  return Object.entries(compared).flatMap(([name, same]) => (same ? [] : name));
}
