import type { Service } from "@tgo/catalog";
import { TgoError, type Problem } from "@tgo/errors";
import type { ServiceReport } from "@tgo/report";
import { CANDIDATE_ANNOTATION } from "../candidate/annotations.js";
import { candidateTag } from "../candidate/candidate-key.js";
import { recordedProofs } from "../candidate/found-proofs.js";
import type { FoundImage, ImageTransfer } from "../publish/image-transfer.js";
import { publishImage, type ImageRequest, type PublishOutcome } from "../publish/publish-image.js";
import type { PublishContext, TargetContext } from "../targets/publish-context.js";
import { splitByRequired } from "../targets/split-by-required.js";

/**
 * The image that is out as a version: verified where it is, and copied by digest to required registries that lack it
 * or a part of it. Nothing is built. A failure is in the report.
 */
export function bringVersion(
  context: PublishContext,
  { name, service, version }: { readonly name: string; readonly service: Service; readonly version: string },
): Promise<PublishOutcome> {
  const proofsOf = ({ verification }: FoundImage): ReturnType<ImageRequest["proofsOf"]> =>
    recordedProofs(context, { name, service }, verification);
  return bringVersionOf(context, name, version, proofsOf);
}

/** As {@link bringVersion}, with what is known of an image's tests given by the caller. */
export function bringVersionOf(
  context: TargetContext,
  service: string,
  version: string,
  proofsOf: ImageRequest["proofsOf"],
): Promise<PublishOutcome> {
  return publishImage(context, {
    query: { service, tags: [version], annotations: {}, immutable: true, finalised: false },
    known: {},
    notes: [],
    needsAll: false,
    tagOf: ({ verification }) => {
      const key = verification.annotations[CANDIDATE_ANNOTATION];
      return key === undefined ? version : candidateTag(key);
    },
    proofsOf,
    build: async (transfer) => {
      throw await notThere(context, { service, version, transfer });
    },
  });
}

/**
 * The one problem of all services when every registry answered and none has the version: it is reported once. Where
 * only some services lack it, each reports it.
 */
export function versionNowhere(services: readonly ServiceReport[]): Problem | undefined {
  const [problem, ...others] = services.map(({ problems }) => problems[0]);
  const answered = services.every(({ registries }) => registries.every(({ state }) => state !== "failed"));
  if (!answered || problem?.code !== "NOT_FOUND") return undefined;
  return others.every((other) => other?.what === problem.what) ? problem : undefined;
}

async function notThere(
  context: TargetContext,
  of: { readonly service: string; readonly version: string; readonly transfer: ImageTransfer },
): Promise<TgoError> {
  const { service, version, transfer } = of;
  const { required } = splitByRequired(context);
  const broken = (await transfer.holders(required)).map(({ name }) => name);
  if (broken.length > 0) {
    return new TgoError(
      "VERIFY",
      `${version} of ${service} is complete in no registry (it is in ${broken.join(", ")})`,
      {
        remedy: `See what is missing: tgo verify --service ${service} --tag ${version}. The release's own command brings it again.`,
      },
    );
  }
  const silent = required.filter((target) => transfer.rows.hasFailed(target)).map(({ name }) => name);
  const but = silent.length === 0 ? "" : ` that could be asked (not ${silent.join(", ")})`;
  return new TgoError("NOT_FOUND", `no registry${but} has version ${version}`, {
    remedy: `Release it first: tgo release --version ${version}. What is out is shown by tgo status.`,
  });
}
