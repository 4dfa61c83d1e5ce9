import { commitNotes, imageLabels, standardLabels, type PrepareOptions } from "@tgo/builders";
import type { Service } from "@tgo/catalog";
import { pushImage } from "@tgo/image";
import type { ServiceReport } from "@tgo/report";
import { CANDIDATE_ANNOTATION } from "../candidate/annotations.js";
import { buildCandidate } from "../candidate/build-candidate.js";
import { candidateTag } from "../candidate/candidate-key.js";
import { imageTests } from "../candidate/image-tests.js";
import { prepareCandidate } from "../candidate/prepare-candidate.js";
import type { Prepared } from "../candidate/prepared.js";
import { requireSameCandidate } from "../candidate/require-same-candidate.js";
import type { PublishContext, TargetContext } from "../targets/publish-context.js";
import { splitByRequired } from "../targets/split-by-required.js";
import { repositoryOf } from "../targets/target.js";
import type { Assembling } from "./assembly.js";
import type { Candidate } from "./candidate.js";
import { notStarted } from "./not-started.js";
import { bringImage, finishOptional, type BuiltImage, type PublishOutcome } from "./bring-image.js";
import type { ImageTransfer } from "./image-transfer.js";
import { reportService } from "./service-report.js";

/** Publishes a service's candidate to all registries. Never throws for the service's own failure. */
export async function publishService(
  context: PublishContext & Assembling,
  name: string,
  service: Service,
  options: PrepareOptions,
): Promise<ServiceReport> {
  return finishOptional(context, await bringService(context, name, service, options));
}

/**
 * {@link publishService} for the required registries; the outcome continues with the optional ones.
 * @param prepared if it is prepared already
 */
export async function bringService(
  context: PublishContext & Assembling,
  name: string,
  service: Service,
  options: PrepareOptions,
  prepared?: Prepared,
): Promise<PublishOutcome> {
  let outcome: PublishOutcome | undefined;
  const report = await reportService(
    context,
    name,
    async () => {
      const known = prepared ?? (await prepareCandidate(context, name, service, options));
      const { assembly } = context;
      const candidate = await (assembly?.candidate(context, known) ?? candidateOf(context, known));
      outcome = await bringCandidate(context, candidate);
      return outcome.report;
    },
    () => ({ registries: context.targets.map((target) => notStarted(target, name)) }),
  );
  return {
    report,
    bringToOptional: (target) =>
      outcome?.bringToOptional(target) ?? Promise.resolve(notStarted(target, name)),
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
    build: (registries) => buildCandidate(context, prepared, registries),
    annotations: standardLabels(prepared.request),
    labels: imageLabels(prepared.request),
    tests: imageTests(context, { name, service }, candidateTag(prepared.key)),
  };
}

/** Brings a candidate to all registries. Never throws for the candidate's own failure. */
export async function publishCandidate(context: TargetContext, candidate: Candidate): Promise<ServiceReport> {
  return finishOptional(context, await bringCandidate(context, candidate));
}

/**
 * Brings a candidate to the required registries. If one of them has it, it is copied from there; otherwise it is built,
 * and put into each registry as soon as that one has the layers. Every registry is verified.
 */
export function bringCandidate(context: TargetContext, candidate: Candidate): Promise<PublishOutcome> {
  const { service, key, version, revision, annotations, labels, tests } = candidate;
  const tag = candidateTag(key);
  return bringImage(context, {
    query: {
      service,
      // The candidate's tag may have been pruned while the version's tag remains.
      tags: version === undefined ? [tag] : [tag, version],
      version,
      immutable: false,
      annotations: { ...annotations, [CANDIDATE_ANNOTATION]: key },
      labels,
      accept: async (target, found) => {
        if (version !== undefined && found.tag === version)
          await requireSameCandidate(target, { service, version, key }, found);
      },
    },
    known: { revision, tag },
    notes: candidate.notes,
    needsAllRequired: true,
    tests,
    build: (transfer) => buildImage(context, { service, tag, build: candidate.build }, transfer),
  });
}

/** Builds an image; each registry gets the tag last, if there is one. */
export async function buildImage(
  context: TargetContext,
  { service, build, ...named }: Pick<Candidate, "service" | "build"> & { readonly tag?: string },
  { rows, notes: failureNotes }: ImageTransfer,
): Promise<BuiltImage> {
  const { notes, proofs, deliver } = await build({
    targets: splitByRequired(context).required.filter((target) => !rows.hasFailed(target)),
    note: (text) => failureNotes.push(text),
  });
  return {
    notes,
    proofs,
    source: {
      digest: undefined,
      ...named,
      put: async (target) => {
        const { image, from } = await deliver(target);
        const to = { registry: target.client, repository: repositoryOf(target, service) };
        const step = named.tag === undefined ? "push" : "tag";
        await context.progress.step({ step, service, registry: target.name }, () =>
          pushImage(image, { to, from, ...named, thorough: true }),
        );
        return { digest: image.digest };
      },
    },
  };
}
