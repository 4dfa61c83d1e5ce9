import { isTgoError, problemOf, type Problem } from "@tgo/errors";
import { attachArtifact } from "@tgo/registry";
import type { Verification } from "@tgo/image";
import {
  composeRecord,
  RECORD_MEDIA_TYPE,
  recordJson,
  type ReleaseState,
  type ReleasedImage,
  type ReleasePlan,
} from "@tgo/release-rules";
import { type RegistryReport } from "@tgo/report";
import { CANDIDATE_ANNOTATION } from "../candidate/annotations.js";
import { interruptionOf } from "../publish/service-report.js";
import { artifactConfig, repositoryOf, type Target } from "../targets/target.js";
import type { TargetContext } from "../targets/publish-context.js";
import type { ReleaseLedger } from "./release-ledger.js";
import type { IndexCache } from "./index-cache.js";

export type ComposedRecord = NonNullable<ReturnType<typeof composeRecord>>;

/** The record of what the registries have now. */
export function recordOf(
  context: TargetContext,
  release: {
    readonly plan: ReleasePlan;
    readonly state: ReleaseState;
    readonly ledger: ReleaseLedger;
    /** By service: verifications of its registries. */
    readonly verified: ReadonlyMap<string, readonly Verification[]>;
    readonly pipeline: string;
  },
): ComposedRecord | undefined {
  const { plan, state, ledger, verified, pipeline } = release;
  const images = [...verified].flatMap(([service, seen]) => {
    const complete = seen.find(({ variants }) => variants.length > 0);
    return complete === undefined ? [] : [[service, imageOf(complete)] as const];
  });
  return composeRecord({
    plan,
    steps: state.steps,
    now: ledger.now,
    pipeline,
    images: new Map(images),
    repository: (registry, service) => {
      const target = context.targets.find(({ name }) => name === registry);
      return target === undefined ? registry : `${target.registry.host}/${repositoryOf(target, service)}`;
    },
  });
}

function imageOf({ annotations, variants }: Verification): ReleasedImage {
  return {
    revision: annotations["org.opencontainers.image.revision"],
    candidate: annotations[CANDIDATE_ANNOTATION],
    created: annotations["org.opencontainers.image.created"],
    platforms: variants.map(({ platform, digest, size }) => ({ platform, digest, size })),
  };
}

/** The result of attaching the record to one service's image in one registry. */
export interface Attachment {
  readonly service: string;
  readonly registry: string;
  readonly state: NonNullable<RegistryReport["record"]>;
  readonly problem?: Problem;
  /** For the report. */
  readonly note?: string;
}

/**
 * Attaches the record to every service's image, in each registry that accepts referrers and has all tags. A failure
 * leaves the tags in place.
 * @throws TgoError INTERRUPTED
 */
export async function attachRecord(
  context: TargetContext,
  record: ComposedRecord,
  indexes: IndexCache,
): Promise<Attachment[]> {
  const content = new TextEncoder().encode(recordJson(record));
  const attachments = context.targets.flatMap((target) =>
    Object.entries(record.services).flatMap(([service, { digest, registries }]) =>
      target.registry.referrers !== false && registries[target.name]?.state === "complete"
        ? [attach(context, { target, service, digest, content, indexes })]
        : [],
    ),
  );
  return Promise.all(attachments);
}

function listedByTag(
  { target, service, digest }: { readonly target: Target; readonly service: string; readonly digest: string },
  tag: string,
): string {
  const repository = `${target.registry.host}/${repositoryOf(target, service)}`;
  return (
    `the referrers API of ${target.name} does not list the release record; the list under ${tag} does: ` +
    `oras discover --distribution-spec v1.1-referrers-tag ${repository}@${digest}`
  );
}

async function attach(
  context: TargetContext,
  of: {
    readonly target: Target;
    readonly service: string;
    readonly digest: string;
    readonly content: Uint8Array;
    readonly indexes: IndexCache;
  },
): Promise<Attachment> {
  const { target, service, digest, content, indexes } = of;
  const names = { service, registry: target.name };
  try {
    const { descriptor } = await indexes.read(target, service, digest);
    const to = { registry: target.client, repository: repositoryOf(target, service) };
    const attachOnce = (): ReturnType<typeof attachArtifact> =>
      attachArtifact(
        to,
        descriptor,
        { type: RECORD_MEDIA_TYPE, content, config: artifactConfig(target.registry) },
        target.anonymous,
      );
    const { state, tag } = await context.progress.step(
      { step: "record", ...names },
      () =>
        attachOnce().catch((error: unknown) => {
          // When two runs attach the same record at once, a registry may miss what it is still storing for the other.
          if (isTgoError(error) && error.code === "NOT_FOUND") return attachOnce();
          throw error;
        }),
      (attached) =>
        attached.state === "by tag" ? { state: "done", detail: "by tag" } : { state: attached.state },
    );
    return { ...names, state, ...(tag === undefined ? {} : { note: listedByTag(of, tag) }) };
  } catch (error) {
    const interruption = interruptionOf(context);
    if (interruption !== undefined) throw interruption;
    const { what, ...problem } = problemOf(error);
    return {
      ...names,
      state: "failed",
      problem: {
        ...problem,
        what: `the release record could not be attached to the image: ${what}`,
        remedy: [
          problem.remedy,
          `The image and its tags are not affected. If the registry accepts only images, set "referrers": "image-config" in its catalog entry, or "referrers": false.`,
        ]
          .filter((line) => line !== undefined)
          .join("\n"),
      },
    };
  }
}
