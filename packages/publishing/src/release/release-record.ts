import { problemOf, type Problem } from "@tgo/errors";
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
import { repositoryOf, type Target } from "../targets/target.js";
import type { TargetContext } from "../targets/publish-context.js";
import type { ReleaseLedger } from "./release-ledger.js";
import type { IndexCache } from "./read-tags.js";

export type Record = NonNullable<ReturnType<typeof composeRecord>>;

/** The record of what the registries hold now. */
export function recordOf(
  context: TargetContext,
  release: {
    readonly plan: ReleasePlan;
    readonly state: ReleaseState;
    readonly ledger: ReleaseLedger;
    /** By service, of its registries. */
    readonly verified: ReadonlyMap<string, readonly Verification[]>;
    readonly pipeline: string;
  },
): Record | undefined {
  const { plan, state, ledger, verified, pipeline } = release;
  const images = [...verified].flatMap(([service, seen]) => {
    const whole = seen.find(({ variants }) => variants.length > 0);
    return whole === undefined ? [] : [[service, imageOf(whole)] as const];
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

/** How one registry took the record beside one service's image. */
export interface Attachment {
  readonly service: string;
  readonly registry: string;
  readonly state: NonNullable<RegistryReport["record"]>;
  readonly problem?: Problem;
}

/**
 * Puts the record beside every service's image, in each registry that takes such documents and has the image complete.
 * The tags stay, whatever becomes of it.
 * @throws TgoError INTERRUPTED
 */
export async function attachRecord(
  context: TargetContext,
  record: Record,
  indexes: IndexCache,
): Promise<Attachment[]> {
  const content = new TextEncoder().encode(recordJson(record));
  const attachments = context.targets.flatMap((target) =>
    Object.entries(record.services).flatMap(([service, { digest, registries }]) =>
      target.registry.referrers && registries[target.name]?.state === "complete"
        ? [attach(context, { target, service, digest, content, indexes })]
        : [],
    ),
  );
  return Promise.all(attachments);
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
  const place = { service, registry: target.name };
  try {
    const { descriptor } = await indexes.read(target, service, digest);
    const to = { registry: target.client, repository: repositoryOf(target, service) };
    const { state } = await context.progress.step(
      { step: "record", ...place },
      () => attachArtifact(to, descriptor, { type: RECORD_MEDIA_TYPE, content }),
      (attached) => ({ state: attached.state }),
    );
    return { ...place, state };
  } catch (error) {
    const stopped = interruptionOf(context);
    if (stopped !== undefined) throw stopped;
    const { what, ...problem } = problemOf(error);
    return {
      ...place,
      state: "failed",
      problem: {
        ...problem,
        what: `the release record could not be put beside the image: ${what}`,
        remedy: [
          problem.remedy,
          `The image and its tags are not affected. A registry that takes no such documents: "referrers": false in its catalog entry.`,
        ]
          .filter((line) => line !== undefined)
          .join("\n"),
      },
    };
  }
}
