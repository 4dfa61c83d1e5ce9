import type { Directory, File } from "@dagger.io/dagger";
import {
  parseStatement,
  PROVENANCE_PREDICATE,
  readAttestations,
  readProvenance,
  statementOf,
  type ReadProvenance,
  type Statement,
} from "@tgo/attestation";
import { Bases } from "@tgo/builders";
import { parsePlatform } from "@tgo/catalog";
import { isTgoError, TgoError } from "@tgo/errors";
import { readBlob } from "@tgo/image";
import { requireImage, type ImageSource } from "@tgo/inspection";
import { compareImages, rebuildImage } from "@tgo/publishing";
import { address, isIndex, parseConfig } from "@tgo/registry";
import type { OutputFormat } from "@tgo/report";
import { openContext, type Call } from "../call.js";
import { basesOptions } from "../context.js";
import { FunctionFailed } from "../function-failed.js";
import { openReferences, requireReferences } from "../references.js";
import type { ShellArguments } from "../shell-arguments.js";
import { sourceOf } from "./inspect.js";
import { renderReproduction } from "./render-reproduction.js";

export type ReproduceFlags = ShellArguments<{
  /** A bundle, a statement or its predicate, as JSON; that which is attached to the image if omitted. */
  provenance: File;
  source: Directory;
}>;

/**
 * Builds an image again from its provenance, and compares the digests.
 * @throws FunctionFailed with the comparison when they differ; TgoError NOT_FOUND without provenance, USAGE when it is of
 * another program or version
 */
export async function reproduce(
  call: Call,
  text: string,
  { provenance, source }: ReproduceFlags,
  format: OutputFormat,
): Promise<string> {
  requireReferences("reproduce", text === "" ? [] : [text]);
  const { references, named, clean } = await openReferences(call, [text]);
  const [reference] = references;
  if (reference === undefined) throw new TgoError("INTERNAL", "no reference");
  const image = sourceOf(named(reference));
  const { digest, platforms, reference: full } = await requireImage(image);
  const { inputs, builder } =
    provenance === undefined
      ? await attachedProvenance(image, digest)
      : await provenanceOfFile(provenance, digest);
  requireSameBuilders(inputs, call.product.buildHash, full);
  const context = await openContext(call);
  const pins = { ...context.pins, ...inputs.bases };
  const rebuilt = await rebuildImage(
    {
      ...context,
      pins,
      bases: new Bases(basesOptions({ ...context, pins })),
      platforms: inputs.platforms.map(parsePlatform),
      // A checkout around the module is at another commit.
      repos: undefined,
    },
    inputs,
    source,
  );
  const variants = await Promise.all(
    platforms.map(async (variant) => ({ ...variant, ...(await readVariant(image, variant.digest)) })),
  );
  const comparison = compareImages({ digest, variants }, rebuilt);
  const shown = clean(renderReproduction({ reference: full, builder, inputs, comparison }, format));
  if (!comparison.same) throw new FunctionFailed(shown);
  return shown;
}

async function attachedProvenance(image: ImageSource, digest: string): Promise<ReadProvenance> {
  const where = address(image.registry, image.repository, digest);
  const found = await readAttestations(image, digest, { predicateTypes: [PROVENANCE_PREDICATE] });
  const statements = found.flatMap(({ statement }) =>
    statement?.predicateType === PROVENANCE_PREDICATE && statement.subjects.includes(digest)
      ? [statement]
      : [],
  );
  const [first, ...others] = statements;
  if (first === undefined)
    throw new TgoError("NOT_FOUND", "the image has no provenance", {
      where,
      remedy:
        "It is attached where images are signed when they are published. Pass a file with --provenance.",
    });
  if (others.length > 0)
    throw new TgoError("USAGE", `the image has ${statements.length} statements of provenance`, {
      where,
      remedy: "Choose one, and pass it with --provenance FILE.",
    });
  return readProvenance(first.predicate, where);
}

/** A bundle and a statement name the image that they are about; a predicate alone does not. */
async function provenanceOfFile(file: File, digest: string): Promise<ReadProvenance> {
  const [name, text] = await Promise.all([file.name(), file.contents()]);
  const where = `--provenance ${name}`;
  const statement = statementIn(text);
  if (statement === undefined) return readProvenance(parse(text, where), where);
  if (!statement.subjects.includes(digest))
    throw new TgoError("USAGE", "the provenance is of another image", {
      where,
      remedy: `Its subject must be ${digest}.`,
    });
  return readProvenance(statement.predicate, where);
}

function statementIn(text: string): Statement | undefined {
  const bytes = new TextEncoder().encode(text);
  for (const read of [statementOf, parseStatement]) {
    try {
      return read(bytes);
    } catch (error) {
      if (!isTgoError(error)) throw error;
    }
  }
  return undefined;
}

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TgoError("USAGE", "the provenance is no JSON", {
      where,
      remedy: "Pass a Sigstore bundle, an in-toto statement, or its predicate.",
      cause,
    });
  }
}

function requireSameBuilders({ buildHash }: ReadProvenance["inputs"], own: string, where: string): void {
  if (buildHash === own) return;
  throw new TgoError(
    "USAGE",
    `the image was built by another version of the pipelines: its build hash is ${buildHash}, this one's is ${own}`,
    { where, remedy: "Run reproduce with the version of the pipelines that built the image." },
  );
}

async function readVariant({ registry, repository }: ImageSource, digest: string) {
  const { value: manifest } = await registry.manifest(repository, digest);
  if (isIndex(manifest)) throw new TgoError("VERIFY", "an index lists another index", { where: digest });
  const bytes = await readBlob(registry, repository, manifest.config);
  return { manifest, config: parseConfig(bytes, address(registry, repository, manifest.config.digest)) };
}
