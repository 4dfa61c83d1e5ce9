import { TgoError } from "@tgo/errors";
import * as v from "@tgo/schemas";
import type { BuildInputs } from "./build-inputs.js";
import { BUILD_TYPE } from "./build-type.js";

const Texts = v.record(v.string(), v.string());

const ProvenanceDocument = v.object({
  buildDefinition: v.object({
    buildType: v.string(),
    externalParameters: v.looseObject({}),
    internalParameters: v.optional(v.looseObject({}), {}),
    resolvedDependencies: v.optional(v.array(v.object({ digest: v.optional(Texts, {}) })), []),
  }),
  runDetails: v.object({ builder: v.object({ id: v.string() }) }),
});

const ExternalParameters = v.object({
  service: v.string(),
  version: v.optional(v.string()),
  source: v.object({
    repository: v.string(),
    path: v.string(),
    revision: v.string(),
    created: v.string(),
  }),
  definition: v.looseObject({}),
  platforms: v.array(v.string()),
  values: Texts,
  bases: Texts,
});

const InternalParameters = v.object({ buildHash: v.string(), candidate: v.string() });

/** Provenance that this program can rebuild from. */
export interface ReadProvenance {
  readonly inputs: BuildInputs;
  /** URI of who ran the build, as the statement says. */
  readonly builder: string;
}

/**
 * Reads the inputs of a build from its provenance. Lock files are not among them: they are part of the source.
 * @param predicate of a statement with the type of SLSA's provenance v1; not trusted
 * @param where names it in errors
 * @throws TgoError USAGE when it is of another builder, or malformed
 */
export function readProvenance(predicate: unknown, where: string): ReadProvenance {
  const document = parse(ProvenanceDocument, predicate, where);
  const { buildType, externalParameters, internalParameters, resolvedDependencies } =
    document.buildDefinition;
  if (buildType !== BUILD_TYPE)
    throw new TgoError("USAGE", `the provenance is of another build type: ${buildType}`, {
      where,
      remedy: "Rebuild the image with the program that built it.",
    });
  const { source, version, ...external } = parse(ExternalParameters, externalParameters, where);
  const { buildHash, candidate } = parse(InternalParameters, internalParameters, where);
  const hash = resolvedDependencies.flatMap(({ digest }) => digest.tgoSourceHash ?? [])[0] ?? "";
  return {
    inputs: { ...external, version, source: { ...source, hash, locks: {} }, buildHash, key: candidate },
    builder: document.runDetails.builder.id,
  };
}

function parse<const S extends v.GenericSchema>(schema: S, value: unknown, where: string): v.InferOutput<S> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new TgoError("USAGE", `the provenance cannot be read: ${v.describeIssue(issue)}`, {
    where,
    remedy: "Name another file, or an image that this program published.",
  });
}
