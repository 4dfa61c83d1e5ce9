import { differencesOf, notesOf, requireParity, type VariantProof } from "@tgo/proof";
import { defined, type RegistryReport, type ServiceReport } from "@tgo/report";
import type { ImageProofs } from "../attestation/attestor.js";
import type { TargetContext } from "../targets/publish-context.js";
import { splitByRequired } from "../targets/split-by-required.js";
import type { Target } from "../targets/target.js";
import { variantRows } from "../verify/verification-rows.js";
import { chooseImage, type ChosenImage, type ImageTests } from "./choose-image.js";
import { copyByDigest } from "./copy-by-digest.js";
import type { FoundImage, ImageQuery } from "./image-lookup.js";
import { givenUp } from "./given-up.js";
import { ImageTransfer, type ImageSource } from "./image-transfer.js";
import { RegistriesFailed, reportService } from "./service-report.js";
import { GRACE_PERIOD_MS, OPTIONAL_LIMIT_MS, withinTime } from "./time-limits.js";

/** An image to bring into registries: how to recognize it, and how to build it if none has it. */
export interface ImageRequest {
  readonly query: ImageQuery;
  /** Source commit and tag, if they are known before the image is found. */
  readonly known: { readonly revision?: string; readonly tag?: string };
  /** Notes for the report, whether the image is built or found. */
  readonly notes: readonly string[];
  /** If a required registry cannot be queried, nothing is built or written, and the service fails. */
  readonly needsAllRequired: boolean;
  readonly tests: ImageTests;
  /**
   * Builds the image that no registry has, or of which they make claims that no proof decides.
   * @throws TgoError when it cannot be built
   */
  readonly build: (transfer: ImageTransfer, found: readonly FoundImage[]) => Promise<BuiltImage>;
}

export interface BuiltImage {
  readonly source: ImageSource;
  readonly proofs: readonly VariantProof[];
  readonly notes: readonly string[];
}

/** The result for the required registries, and the function that continues with the optional ones. */
export interface PublishOutcome {
  readonly report: ServiceReport;
  /** Brings the same image to an optional registry. Never rejects: the row has the problem. */
  readonly bringToOptional: (target: Target) => Promise<RegistryReport>;
}

/**
 * Brings an image to the required registries: copied from one that has it, else built. The outcome then brings it to
 * the optional ones. Never throws for the image's own failure.
 */
export async function bringImage(context: TargetContext, request: ImageRequest): Promise<PublishOutcome> {
  const { query, needsAllRequired } = request;
  const transfer = new ImageTransfer(context, query);
  const { rows } = transfer;
  let image: ImageSource | undefined;
  const report = await reportService(
    context,
    query.service,
    async () => {
      const { required } = splitByRequired(context);
      const found = await findImages(context, transfer, request);
      const { lookup } = transfer;
      const { service } = query;
      const chosen = await chooseImage(context, { service, lookup, tests: request.tests }, found);
      if (chosen !== undefined) requireParity(context, query.service, differencesOf(proofsOf(chosen)));
      const built = chosen === undefined ? await request.build(transfer, found) : undefined;
      // A version's tag waits for the gate; until then the image is there by digest only.
      const named = query.immutable || query.tagAfterAttesting === true ? {} : { tag: query.tags[0] };
      const source = built?.source ?? (chosen && copyByDigest(context, query.service, chosen.image, named));
      if (source === undefined) throw new RegistriesFailed();
      image = source;
      transfer.proofs = provenBy(request.tests, built, chosen);
      const { digest, verification = chosen?.image.verification } = await transfer.bring(source, required);
      image = { ...source, digest };
      const requiredRows = required.map((target) => rows.of(target));
      return defined({
        service: query.service,
        state: stateOf(requiredRows, { needsAllRequired, isBuilt: built !== undefined }),
        revision:
          request.known.revision ??
          chosen?.image.verification.annotations["org.opencontainers.image.revision"],
        source: (query.annotations ?? chosen?.image.verification.annotations)?.[
          "org.opencontainers.image.source"
        ],
        tag: query.tags[0],
        digest,
        variants:
          verification === undefined
            ? []
            : variantRows(context, verification, (variant) => {
                const proof = built?.proofs.find(({ platform }) => platform === variant.platform);
                return proof === undefined ? chosen?.proofs.get(variant.digest) : { proof, recorded: false };
              }),
        registries: rows.all(),
        problems: [],
        notes: [
          ...((built ?? chosen)?.notes ?? []),
          ...notesOf(built?.proofs ?? (chosen === undefined ? [] : proofsOf(chosen))),
          ...request.notes,
          ...transfer.notes,
        ],
      });
    },
    () => ({ ...request.known, registries: rows.all(), notes: transfer.notes }),
  );
  return {
    report,
    bringToOptional: (target) => transfer.bringToOptional(image, target),
  };
}

/** What is attached to the variants as their proofs; nothing if the tests have no name. */
function provenBy(
  { key, origin }: ImageTests,
  built: BuiltImage | undefined,
  chosen: ChosenImage | undefined,
): ImageProofs | undefined {
  if (key === undefined) return undefined;
  const proofs = built?.proofs ?? (chosen === undefined ? [] : proofsOf(chosen));
  return {
    tests: key,
    variants: new Map(proofs.map((proof) => [proof.platform, proof])),
    ...defined({ origin }),
  };
}

/** The proofs of the image's own variants. */
function proofsOf({ image, proofs }: ChosenImage): VariantProof[] {
  return image.verification.variants.flatMap(({ digest }) => proofs.get(digest)?.proof ?? []);
}

/**
 * Images that only optional registries have are better copied than built: those get a grace period to respond.
 * @throws RegistriesFailed when the request needs all required registries, and one cannot be queried
 */
async function findImages(
  context: TargetContext,
  { lookup, rows }: ImageTransfer,
  { needsAllRequired }: Pick<ImageRequest, "needsAllRequired">,
): Promise<readonly FoundImage[]> {
  const { required, optional } = splitByRequired(context);
  const asked = lookup.ask(optional);
  asked.catch(() => undefined);
  await lookup.ask(required);
  // If the catalog requires no registry, one that fails stops nothing.
  const mustRespond = required.filter(({ registry }) => registry.required);
  if (needsAllRequired && mustRespond.some((target) => rows.hasFailed(target))) throw new RegistriesFailed();
  const found = await lookup.find(required);
  if (found.length > 0 || optional.length === 0) return found;
  return (await withinTime(lookup.find(optional), context.gracePeriodMs ?? GRACE_PERIOD_MS)) ?? [];
}

/** Brings the image to the optional registries as well. @returns the report with every registry's result */
export async function finishOptional(
  context: TargetContext,
  { report, bringToOptional }: PublishOutcome,
): Promise<ServiceReport> {
  const { optional } = splitByRequired(context);
  const limitMs = context.optionalLimitMs ?? OPTIONAL_LIMIT_MS;
  const rows = new Map(
    await Promise.all(
      optional.map(async (target) => {
        const row = await withinTime(bringToOptional(target), limitMs);
        return [target.name, row ?? givenUp(report, target, { missing: "the candidate", limitMs })] as const;
      }),
    ),
  );
  const registries = report.registries.map((row) => rows.get(row.registry) ?? row);
  return { ...report, registries, state: registries.some(isMissing) ? "failed" : report.state };
}

function stateOf(
  rows: readonly RegistryReport[],
  { needsAllRequired, isBuilt }: { readonly needsAllRequired: boolean; readonly isBuilt: boolean },
): ServiceReport["state"] {
  if (needsAllRequired && rows.some(isMissing)) return "failed";
  const isThere = needsAllRequired ? !isBuilt : rows.every(({ state }) => state === "already there");
  return isThere ? "already there" : "published";
}

function isMissing({ state }: RegistryReport): boolean {
  return state === "failed" || state === "not started";
}
