import type { VariantProof } from "@tgo/proof";
import { defined, type RegistryReport, type ServiceReport } from "@tgo/report";
import type { TargetContext } from "../targets/publish-context.js";
import { splitByRequired } from "../targets/split-by-required.js";
import type { Target } from "../targets/target.js";
import { variantRows } from "../verify/verify-tag.js";
import { GRACE_PERIOD_MS, OPTIONAL_LIMIT_MS, withinTime } from "./grace-period.js";
import { ImageTransfer, type FoundImage, type ImageQuery, type ImageSource } from "./image-transfer.js";
import { RegistriesFailed, reportService } from "./service-report.js";

/** An image that registries are to have: how it is recognized, and where it comes from when none has it. */
export interface ImageRequest {
  readonly query: ImageQuery;
  /** Source commit and tag, where they are known before the image is found. */
  readonly known: { readonly revision?: string; readonly tag?: string };
  /** Notes for the report, whether the image is built or found. */
  readonly notes: readonly string[];
  /** Nothing is built or written, and the service fails, when a required registry cannot be asked. */
  readonly needsAll: boolean;
  /** Tag that a found image is copied under. */
  readonly tagOf: (found: FoundImage) => string;
  /** What is known to have been tested of a found image, by manifest digest. @throws when it fails the tests now */
  readonly proofsOf: (found: FoundImage) => Promise<ReadonlyMap<string, VariantProof>>;
  /** Makes the image that no registry has. @throws TgoError when it cannot be made */
  readonly build: (transfer: ImageTransfer) => Promise<BuiltImage>;
}

export interface BuiltImage {
  readonly source: ImageSource;
  readonly proofs: readonly VariantProof[];
  readonly notes: readonly string[];
}

/** What came of an image in the required registries, and the way into the optional ones. */
export interface PublishOutcome {
  readonly report: ServiceReport;
  /** Brings the same image to an optional registry. Never rejects: the row says what came of it. */
  readonly bringToOptional: (target: Target) => Promise<RegistryReport>;
}

/**
 * Brings an image to the required registries: copied from one that has it, else built. Optional registries come
 * afterwards, through the outcome. Never throws for the image's own failure.
 */
export async function publishImage(context: TargetContext, request: ImageRequest): Promise<PublishOutcome> {
  const { query } = request;
  const transfer = new ImageTransfer(context, query);
  let image: ImageSource | undefined;
  const report = await reportService(
    context,
    query.service,
    async () => {
      const { required } = splitByRequired(context);
      const found = await findImage(context, transfer, request);
      const built = found === undefined ? await request.build(transfer) : undefined;
      const proofs = found === undefined ? undefined : await request.proofsOf(found);
      const source = built?.source ?? (found && transfer.copyOf(found, request.tagOf(found)));
      if (source === undefined) throw new RegistriesFailed();
      image = source;
      const { digest, verification = found?.verification } = await transfer.bring(source, required);
      image = { ...source, digest };
      const rows = required.map((target) => transfer.rows.of(target));
      return defined({
        service: query.service,
        state: stateOf(rows, { needsAll: request.needsAll, isBuilt: built !== undefined }),
        revision:
          request.known.revision ?? found?.verification.annotations["org.opencontainers.image.revision"],
        tag: source.tag,
        digest,
        variants:
          verification === undefined
            ? []
            : variantRows(context, verification, {
                proofOf: ({ platform, digest: manifest }) =>
                  proofs?.get(manifest) ?? built?.proofs.find((proof) => proof.platform === platform),
                recorded: built === undefined,
              }),
        registries: transfer.rows.all(),
        problems: [],
        notes: [...(built?.notes ?? []), ...request.notes],
      });
    },
    () => ({ ...request.known, registries: transfer.rows.all() }),
  );
  return {
    report,
    bringToOptional: (target) => transfer.bringToOptional(image, target),
  };
}

/**
 * What only an optional registry has is better copied from there than built: it gets a grace period to say so.
 * @throws RegistriesFailed when the request needs all required registries and one cannot be asked
 */
async function findImage(
  context: TargetContext,
  transfer: ImageTransfer,
  { needsAll }: Pick<ImageRequest, "needsAll">,
): Promise<FoundImage | undefined> {
  const { required, optional } = splitByRequired(context);
  const asked = transfer.lookUp(optional);
  asked.catch(() => undefined);
  await transfer.lookUp(required);
  const mustAnswer = required.filter(({ registry }) => registry.required);
  if (needsAll && mustAnswer.some((target) => transfer.rows.hasFailed(target))) throw new RegistriesFailed();
  const found = await transfer.find(required);
  if (found !== undefined || optional.length === 0) return found;
  return withinTime(transfer.find(optional), context.gracePeriodMs ?? GRACE_PERIOD_MS);
}

/** The report with every registry in it, when the optional ones are done as well or out of time. */
export async function withOptional(
  context: TargetContext,
  { report, bringToOptional }: PublishOutcome,
): Promise<ServiceReport> {
  const { optional } = splitByRequired(context);
  const rows = new Map(
    await Promise.all(
      optional.map(async (target) => {
        const row = await withinTime(bringToOptional(target), OPTIONAL_LIMIT_MS);
        return [target.name, row ?? outOfTime(report, target)] as const;
      }),
    ),
  );
  const registries = report.registries.map((row) => rows.get(row.registry) ?? row);
  return { ...report, registries, state: registries.some(isMissing) ? "failed" : report.state };
}

/** The row of an optional registry that is given up. */
export function outOfTime({ registries }: Pick<ServiceReport, "registries">, target: Target): RegistryReport {
  const known = registries.find(({ registry }) => registry === target.name);
  const what = `it had not taken the candidate after ${OPTIONAL_LIMIT_MS / 60_000} min, and was given up`;
  const problem = { code: "UNAVAILABLE", what, remedy: "Run the same command again." } as const;
  const row = known ?? {
    registry: target.name,
    reference: target.registry.host,
    durationMs: OPTIONAL_LIMIT_MS,
  };
  return { ...row, state: "failed", problems: [problem] };
}

function stateOf(
  rows: readonly RegistryReport[],
  { needsAll, isBuilt }: { readonly needsAll: boolean; readonly isBuilt: boolean },
): ServiceReport["state"] {
  if (needsAll && rows.some(isMissing)) return "failed";
  const isThere = needsAll ? !isBuilt : rows.every(({ state }) => state === "already there");
  return isThere ? "already there" : "published";
}

function isMissing({ state }: RegistryReport): boolean {
  return state === "failed" || state === "not started";
}
