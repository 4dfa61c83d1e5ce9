import { BUILD_TYPE } from "./build-type.js";
import type { BuildInputs } from "./build-inputs.js";

/** An input by its digest. @see https://github.com/in-toto/attestation/blob/v1.1.0/spec/v1/resource_descriptor.md */
export interface ResourceDescriptor {
  readonly uri?: string;
  readonly name?: string;
  readonly digest: Readonly<Record<string, string>>;
}

/** The predicate of SLSA provenance v1, as far as it is used. @see https://slsa.dev/spec/v1.0/provenance#schema */
export interface Provenance {
  readonly buildDefinition: {
    readonly buildType: string;
    /** What the caller chose. */
    readonly externalParameters: object;
    /** What this program adds. */
    readonly internalParameters: object;
    readonly resolvedDependencies: readonly ResourceDescriptor[];
  };
  readonly runDetails: { readonly builder: { readonly id: string } };
}

/**
 * How an image was built, as SLSA provenance v1. Without a clock and without the number of a run: the same inputs and
 * builder give the same bytes.
 * @param builder URI of who ran the build, see `builderOf`
 */
export function provenanceOf(inputs: BuildInputs, builder: string): Provenance {
  const { service, definition, platforms, source, bases, values, version, buildHash, key } = inputs;
  const { repository, path, revision, hash, created, locks } = source;
  return {
    buildDefinition: {
      buildType: BUILD_TYPE,
      externalParameters: {
        service,
        ...(version === undefined ? {} : { version }),
        source: { repository, path, revision, created },
        definition,
        platforms: [...platforms].sort(),
        values,
        bases,
      },
      internalParameters: { buildHash, candidate: key },
      resolvedDependencies: [
        sourceDependency(repository, revision, hash),
        ...sorted(locks).map(([name, digest]) => ({ name, digest: digestSet(digest) })),
        ...sorted(bases).map(([reference, digest]) => ({
          uri: `docker://${reference}`,
          digest: digestSet(digest),
        })),
        { uri: "https://github.com/tgoai/tgo-pipelines", digest: { tgoBuildHash: buildHash } },
      ],
    },
    runDetails: { builder: { id: builder } },
  };
}

/** A source that is no commit is known by the hash of its files only. */
function sourceDependency(repository: string, revision: string, hash: string): ResourceDescriptor {
  const isCommit = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(revision);
  return {
    uri: `git+${repository}${isCommit ? `@${revision}` : ""}`,
    digest: { ...(isCommit ? { gitCommit: revision } : {}), tgoSourceHash: hash },
  };
}

function digestSet(digest: string): Readonly<Record<string, string>> {
  const [algorithm = "", hex = ""] = digest.split(":");
  return { [algorithm]: hex };
}

function sorted(record: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
}
