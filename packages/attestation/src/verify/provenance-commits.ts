import * as v from "@tgo/schemas";

/** https://slsa.dev/spec/v1.0/provenance, as far as it names commits. */
const Provenance = v.object({
  buildDefinition: v.object({
    resolvedDependencies: v.optional(
      v.array(v.object({ digest: v.optional(v.record(v.string(), v.string())) })),
      [],
    ),
  }),
});

/** The git commits that a provenance names as sources. */
export function provenanceCommits(predicate: unknown): string[] {
  const dependencies = v.outputOf(Provenance, predicate)?.buildDefinition.resolvedDependencies ?? [];
  return dependencies.flatMap(({ digest = {} }) => digest.gitCommit ?? digest.sha1 ?? []);
}
