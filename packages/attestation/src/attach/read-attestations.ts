import { isTgoError, TgoError } from "@tgo/errors";
import { type Descriptor, digestOf, isIndex, type Registry } from "@tgo/registry";
import { BUNDLE_TYPES, MAX_BUNDLE_BYTES, statementOf } from "../bundle.js";
import type { Statement } from "../statement.js";

/** A bundle that a registry lists as a referrer. Who signed it is not known yet. */
export interface FoundAttestation {
  /** Digest of the artifact's manifest. */
  readonly manifest: string;
  /** Digest of the bundle: the same in every registry that has it. */
  readonly digest: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What the bundle says; undefined when it says nothing that can be read. */
  readonly statement: Statement | undefined;
  /** Why it says nothing. */
  readonly problem?: string;
}

export interface ReadAttestationsOptions {
  readonly predicateTypes?: readonly string[] | undefined;
  readonly skipsMissing?: boolean;
}

/** How many bundles of one image are read. */
const MAX_BUNDLES = 100;
const PREDICATE_ANNOTATION = "dev.sigstore.bundle.predicateType";

/**
 * The Sigstore bundles that refer to a manifest in one registry, as cosign finds them: artifacts of one layer whose media
 * type is a bundle's. A list is a claim: each manifest must name the subject itself.
 * @param subject the manifest's digest
 * @param options.predicateTypes only these, where the list says of which type a bundle is
 * @param options.skipsMissing whether an artifact that is listed and missing is left out: it is about to be attached again
 * @throws TgoError UNAVAILABLE and others of the registry; INVALID_RESPONSE when a listed artifact is missing
 */
export async function readAttestations(
  { registry, repository }: { readonly registry: Registry; readonly repository: string },
  subject: string,
  { predicateTypes, skipsMissing = false }: ReadAttestationsOptions = {},
): Promise<FoundAttestation[]> {
  const { entries } = await registry.referrers(repository, subject);
  const wanted = entries.filter((entry) => mayBeBundle(entry, predicateTypes));
  if (wanted.length > MAX_BUNDLES)
    throw new TgoError(
      "INVALID_RESPONSE",
      `${wanted.length} attestations are listed; ${MAX_BUNDLES} are read`,
      {
        where: `${registry.host}/${repository}@${subject}`,
        remedy: "Delete attestations that nobody needs any more.",
      },
    );
  const read = await Promise.all(
    wanted.map((entry) =>
      readOne(registry, repository, subject, entry).catch((error: unknown) => {
        if (!isTgoError(error) || error.code !== "NOT_FOUND") throw error;
        if (skipsMissing) return undefined;
        throw new TgoError("INVALID_RESPONSE", `the attestation ${entry.digest} is listed, and missing`, {
          where: `${registry.host}/${repository}@${subject}`,
          remedy: "Run the command that attached it again: it is copied from another registry.",
          cause: error,
        });
      }),
    ),
  );
  return read.filter((found) => found !== undefined);
}

function mayBeBundle({ artifactType, annotations }: Descriptor, predicateTypes?: readonly string[]): boolean {
  // Some registries list neither.
  if (artifactType !== undefined && !artifactType.startsWith(BUNDLE_TYPES)) return isConfigType(artifactType);
  const type = annotations?.[PREDICATE_ANNOTATION];
  return type === undefined || predicateTypes === undefined || predicateTypes.includes(type);
}

/** Where `artifactType` is unknown to a registry, it lists the config's media type. */
function isConfigType(type: string): boolean {
  return type === "application/vnd.oci.image.config.v1+json" || type === "application/vnd.oci.empty.v1+json";
}

async function readOne(
  registry: Registry,
  repository: string,
  subject: string,
  entry: Descriptor,
): Promise<FoundAttestation | undefined> {
  const { value } = await registry.manifest(repository, entry.digest);
  if (isIndex(value) || value.subject?.digest !== subject) return undefined;
  const [layer, ...others] = value.layers;
  if (layer === undefined || others.length > 0 || !layer.mediaType.startsWith(BUNDLE_TYPES)) return undefined;
  if (layer.size > MAX_BUNDLE_BYTES)
    throw new TgoError("INVALID_RESPONSE", `an attestation has ${layer.size} bytes, more than are read`, {
      where: `${registry.host}/${repository}@${entry.digest}`,
    });
  const bytes = new Uint8Array(await new Response(await registry.blob(repository, layer)).arrayBuffer());
  return { manifest: entry.digest, digest: digestOf(bytes), bytes, ...statementIn(bytes) };
}

function statementIn(bytes: Uint8Array): Pick<FoundAttestation, "statement" | "problem"> {
  try {
    return { statement: statementOf(bytes) };
  } catch (error) {
    return { statement: undefined, problem: isTgoError(error) ? error.what : "it cannot be read" };
  }
}
