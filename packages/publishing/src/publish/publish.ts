import type { Service } from "@tgo/catalog";
import { commitNotes, type PrepareOptions } from "@tgo/builders";
import { pushImage } from "@tgo/image";
import type { VariantProof } from "@tgo/proof";
import type { ServiceReport } from "@tgo/report";
import { CANDIDATE_ANNOTATION } from "../candidate/annotations.js";
import { buildCandidate, type BuiltCandidate } from "../candidate/build-candidate.js";
import { candidateTag } from "../candidate/candidate-key.js";
import { proveFound } from "../candidate/found-proofs.js";
import { prepareCandidate, type Prepared } from "../candidate/prepare-candidate.js";
import { requireSameCandidate } from "../candidate/require-same-candidate.js";
import type { PublishContext, TargetContext } from "../targets/publish-context.js";
import { repositoryOf } from "../targets/target.js";
import type { FoundImage } from "./image-transfer.js";
import { notStarted } from "./not-started.js";
import { publishImage, withOptional, type BuiltImage, type PublishOutcome } from "./publish-image.js";
import { reportService } from "./service-report.js";

/** What is to be published: a candidate that registries may have already. */
export interface Candidate {
  readonly service: string;
  readonly key: string;
  readonly revision: string;
  /** Notes for the report, whether it is built now or not. */
  readonly notes: readonly string[];
  /** The version it belongs to, whose tag no other candidate may have; undefined when it belongs to none. */
  readonly version: string | undefined;
  readonly build: () => Promise<BuiltCandidate>;
  /** Proofs of a candidate that a registry has, by manifest digest. @throws when it fails its tests */
  readonly proofsOf: (found: FoundImage) => Promise<ReadonlyMap<string, VariantProof>>;
}

/** Publishes one service's candidate to all registries. Never throws for the service's own failure. */
export async function publishService(
  context: PublishContext,
  name: string,
  service: Service,
  options: PrepareOptions,
): Promise<ServiceReport> {
  return withOptional(context, await bringService(context, name, service, options));
}

/** As {@link publishService} for the required registries; the outcome brings it to the optional ones. */
export async function bringService(
  context: PublishContext,
  name: string,
  service: Service,
  options: PrepareOptions,
): Promise<PublishOutcome> {
  const registries = context.targets.map((target) => notStarted(target, name));
  let outcome: PublishOutcome | undefined;
  const report = await reportService(
    context,
    name,
    async () => {
      const prepared = await prepareCandidate(context, name, service, options);
      outcome = await bringCandidate(context, candidateOf(context, prepared));
      return outcome.report;
    },
    () => ({ registries }),
  );
  const row = (registry: string) => registries.find((one) => one.registry === registry);
  return {
    report,
    bringToOptional: (target) =>
      outcome?.bringToOptional(target) ?? Promise.resolve(row(target.name) ?? notStarted(target, name)),
  };
}

export function candidateOf(context: PublishContext, prepared: Prepared): Candidate {
  const { name, service, source, version } = prepared.request;
  return {
    service: name,
    key: prepared.key,
    revision: source.revision,
    notes: commitNotes(source),
    version,
    build: () => buildCandidate(context, prepared),
    proofsOf: (found) => proveFound(context, { name, service }, found),
  };
}

/** Brings a candidate to every registry. Never throws for the candidate's own failure. */
export async function publishCandidate(context: TargetContext, candidate: Candidate): Promise<ServiceReport> {
  return withOptional(context, await bringCandidate(context, candidate));
}

/**
 * Brings a candidate to the required registries. What one registry has is copied from there; otherwise it is built,
 * and put into each as soon as that one has its layers. Every registry is verified.
 */
export function bringCandidate(context: TargetContext, candidate: Candidate): Promise<PublishOutcome> {
  const { service, key, version, revision } = candidate;
  const tag = candidateTag(key);
  return publishImage(context, {
    query: {
      service,
      // The version's tag may have outlived the candidate's own.
      tags: version === undefined ? [tag] : [tag, version],
      annotations: { [CANDIDATE_ANNOTATION]: key },
      immutable: false,
      finalised: true,
      accept: async (target, found) => {
        if (version !== undefined && found.tag === version)
          await requireSameCandidate(target, { service, version, key }, found);
      },
    },
    known: { revision, tag },
    notes: candidate.notes,
    needsAll: true,
    tagOf: () => tag,
    proofsOf: candidate.proofsOf,
    build: () => builtImage(context, candidate),
  });
}

/** What is built now; the candidate's tag comes last in each registry. */
async function builtImage(context: TargetContext, candidate: Candidate): Promise<BuiltImage> {
  const { service, key } = candidate;
  const tag = candidateTag(key);
  const { notes, proofs, deliver } = await candidate.build();
  return {
    notes,
    proofs,
    source: {
      digest: undefined,
      tag,
      put: async (target) => {
        const { image, from } = await deliver(target);
        const to = { registry: target.client, repository: repositoryOf(target, service) };
        await context.progress.step({ step: "tag", service, registry: target.name }, () =>
          pushImage(image, { to, from, tag, thorough: true }),
        );
        return { digest: image.digest };
      },
    },
  };
}
