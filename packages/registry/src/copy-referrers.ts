import { TgoError } from "@tgo/errors";
import { address } from "./address.js";
import { digestOf } from "./digest.js";
import { isIndex, type Descriptor } from "./manifest-schemas.js";
import { OCI_CONFIG, OCI_EMPTY } from "./media-types.js";
import type { Repository } from "./push-blobs-and-manifests.js";
import type { Artifact, ArtifactManifest } from "./referrers.js";

/** The largest file of an artifact that is copied, in bytes: it is held in memory. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;
/** An empty config is `{}`. */
const EMPTY_BYTES = 2;
/** How many referrers of one manifest are copied. */
const MAX_REFERRERS = 100;

/**
 * Copies everything that refers to a manifest, byte for byte, and lists it in the other registry. There is nothing to do
 * where the registries are the same.
 * @param subject the manifest, which the other registry has
 * @param config which config the other registry's artifacts have, as those that are attached there: an image's, where it
 * refuses empty ones. So an artifact is not in one registry twice, whichever it was copied from
 * @returns how many were copied
 * @throws TgoError as {@link Registry.attach} does
 */
export async function copyReferrers({
  from,
  to,
  subject,
  config,
}: {
  readonly from: Repository;
  readonly to: Repository;
  readonly subject: Descriptor;
  readonly config: Config;
}): Promise<number> {
  const { entries } = await from.registry.referrers(from.repository, subject.digest);
  if (entries.length > MAX_REFERRERS)
    throw new TgoError(
      "INVALID_RESPONSE",
      `${entries.length} referrers are listed; ${MAX_REFERRERS} are copied`,
      {
        where: address(from.registry, from.repository, subject.digest),
        remedy: "Delete referrers that nobody needs any more, such as old scan reports.",
      },
    );
  const read = await Promise.all(entries.map((entry) => readArtifact(from, subject, entry)));
  const artifacts = read.filter((artifact) => artifact !== undefined);
  const replaced = artifacts.filter((artifact) => hasConfig(artifact, OTHER[config]));
  const kept = artifacts.filter((artifact) => !replaced.includes(artifact));
  if (kept.length > 0) await to.registry.attachManifests(to.repository, subject.digest, kept);
  if (replaced.length > 0)
    await to.registry.attach(
      to.repository,
      subject,
      replaced.map((artifact) => withConfig(artifact, config)),
    );
  return artifacts.length;
}

type Read = ArtifactManifest & {
  readonly configType: string;
  readonly configSize: number;
  readonly layers: readonly Descriptor[];
};

/** Undefined for one that does not name the subject: a list is a claim. */
async function readArtifact(
  { registry, repository }: Repository,
  subject: Descriptor,
  entry: Descriptor,
): Promise<Read | undefined> {
  const { bytes, value, descriptor } = await registry.manifest(repository, entry.digest);
  if (value.subject?.digest !== subject.digest || isIndex(value)) return undefined;
  const files = new Map([value.config, ...value.layers].map((file) => [file.digest, file]));
  const blobs = await Promise.all(
    [...files.values()].map(async (file) => {
      if (file.size > MAX_FILE_BYTES)
        throw new TgoError(
          "INVALID_RESPONSE",
          `a referrer has a file of ${file.size} bytes, more than is copied`,
          {
            where: address(registry, repository, entry.digest),
          },
        );
      const content = await new Response(await registry.blob(repository, file)).arrayBuffer();
      return [file.digest, new Uint8Array(content)] as const;
    }),
  );
  const { mediaType, digest, size } = descriptor;
  const artifactType = value.artifactType ?? value.config.mediaType;
  return {
    own: {
      ...{ mediaType, digest, size, artifactType },
      ...(value.annotations === undefined ? {} : { annotations: value.annotations }),
    },
    bytes,
    blobs,
    configType: value.config.mediaType,
    configSize: value.config.size,
    layers: value.layers,
  };
}

type Config = "empty" | "image-config";
const OTHER: Readonly<Record<Config, Config>> = { empty: "image-config", "image-config": "empty" };
const CONFIG_TYPES: Readonly<Record<Config, string>> = { empty: OCI_EMPTY, "image-config": OCI_CONFIG };

/** Ours and cosign's have one layer, and nothing in their config; artifacts of other shapes are copied as they are. */
function hasConfig({ configType, configSize, layers, own }: Read, config: Config): boolean {
  const isBare = layers.length === 1 && layers[0]?.mediaType === own.artifactType;
  return isBare && configType === CONFIG_TYPES[config] && configSize === EMPTY_BYTES;
}

function withConfig({ own, blobs, layers }: Read, config: Config): Artifact {
  const content = blobs.find(([digest]) => digest === layers[0]?.digest)?.[1] ?? new Uint8Array();
  if (digestOf(content) !== layers[0]?.digest) throw new TgoError("INTERNAL", "a referrer has no layer");
  return {
    type: own.artifactType ?? "",
    content,
    annotations: own.annotations ?? {},
    config,
  };
}
