import { imageLabels, standardLabels } from "@tgo/builders";
import { errorOf, TgoError, type Problem } from "@tgo/errors";
import { finaliseVariants, readStagedImage, type FinalImage } from "@tgo/image";
import { requireParity, type VariantProof } from "@tgo/proof";
import { CANDIDATE_ANNOTATION } from "../candidate/annotations.js";
import { proofsByManifest, type BuiltCandidate } from "../candidate/build-candidate.js";
import { assembledKey, assembledKeys, candidateTag, inputsKey } from "../candidate/candidate-key.js";
import { compareAll, imageTests } from "../candidate/image-tests.js";
import type { Prepared } from "../candidate/prepared.js";
import { recordProofs } from "../candidate/recorded-proofs.js";
import type { Assembly } from "../publish/assembly.js";
import type { Candidate } from "../publish/candidate.js";
import { candidateOf } from "../publish/publish.js";
import type { PublishContext } from "../targets/publish-context.js";
import { referenceOf, repositoryOf } from "../targets/target.js";
import type { FoundVariants } from "./find-variants.js";
import { nativeTests } from "./native-tests.js";
import { proveVariants } from "./prove-variants.js";
import { waitForVariants, type WaitOptions } from "./wait-for-variants.js";

export interface AssembleOptions extends WaitOptions {
  /** Whether runs under emulation are refused. */
  readonly requireNative: boolean;
  /** Hash of the pipelines' code: proofs of others are refused. */
  readonly pipelines: string;
  /** Proofs that this run made itself, by manifest digest. */
  readonly known?: ReadonlyMap<string, VariantProof>;
  /** Why this run has no image of a platform, by service. */
  readonly failures?: ReadonlyMap<string, Problem>;
}

/** Makes candidates of platforms' images that each were built alone, and put into a registry by {@link publishVariant}. */
export function createAssembly(options: AssembleOptions): Assembly {
  return {
    candidate: async (context, prepared) => {
      const existing = await existingKey(context, prepared);
      const failure = options.failures?.get(prepared.request.name);
      if (existing === undefined && failure !== undefined) throw errorOf(failure);
      const found = existing === undefined ? await waitForVariants(context, prepared, options) : undefined;
      const key = existing ?? assembledKey(prepared.key, found?.variants.map((variant) => variant.key) ?? []);
      return assembledCandidate(context, { prepared, key, found }, options);
    },
  };
}

/**
 * The key of the candidate if a registry has it already, or the version made from it: then nothing is assembled, unless
 * it is incomplete.
 */
async function existingKey(context: PublishContext, { key, request }: Prepared): Promise<string | undefined> {
  const { name, version } = request;
  const keys = assembledKeys(key);
  const found = await Promise.all(
    context.targets.map(async ({ client, ...target }) => {
      const repository = repositoryOf({ client, ...target }, name);
      // A registry that fails has a row of its own later.
      const resolve = async (tag: string): Promise<string | undefined> =>
        (await client.resolve(repository, tag, { push: true }).catch(() => undefined))?.digest;
      const digests = await Promise.all(keys.map((each) => resolve(candidateTag(each))));
      const candidate = keys.find((_, at) => digests[at] !== undefined);
      if (candidate !== undefined || version === undefined) return candidate;
      const digest = await resolve(version);
      if (digest === undefined) return undefined;
      const index = await client.manifest(repository, digest, { push: true }).catch(() => undefined);
      const said = index?.value.annotations?.[CANDIDATE_ANNOTATION] ?? "";
      return inputsKey(said) === key ? said : undefined;
    }),
  );
  return found.find((each) => each !== undefined);
}

interface Assembled {
  readonly prepared: Prepared;
  readonly key: string;
  /** Undefined if the candidate was there: then it is looked for only if that cannot be used. */
  readonly found: FoundVariants | undefined;
}

function assembledCandidate(
  context: PublishContext,
  { prepared, key, found }: Assembled,
  options: AssembleOptions,
): Candidate {
  const { name, service } = prepared.request;
  const tests = imageTests(context, { name, service }, candidateTag(key));
  return {
    ...candidateOf(context, prepared),
    key,
    labels: imageLabels(prepared.request),
    tests: options.requireNative ? nativeTests(tests) : tests,
    build: async () => {
      const variants = found ?? (await waitForVariants(context, prepared, options));
      return assemble(context, { prepared, key, found: variants }, options);
    },
  };
}

/** Proves the variants, and makes one image of them: byte for byte what one machine makes of the same variants. */
async function assemble(
  context: PublishContext,
  { prepared, key, found }: Assembled & { readonly found: FoundVariants },
  options: AssembleOptions,
): Promise<BuiltCandidate> {
  const { request } = prepared;
  const { target, variants } = found;
  const known = options.known ?? new Map<string, VariantProof>();
  const { proofs: own, notes } = await proveVariants(context, prepared, found, { ...options, known });
  const compared = variants.map(({ platform, manifest }) => ({ platform, digest: manifest }));
  const differences = await compareAll(context, request, {
    from: target,
    verification: { variants: compared },
  });
  requireParity(context, request.name, differences);
  const proofs = own.map((proof) => ({ ...proof, differences }));
  const image = await context.progress.step({ step: "finalise", service: request.name }, () =>
    finalise(context, { prepared, key, found }),
  );
  context.ledger?.addBuilt(image.digest);
  await recordProofs(context, request, proofsByManifest(image, proofs), {
    candidate: candidateTag(key),
    index: image.digest,
  });
  const from = { registry: target.client, repository: repositoryOf(target, request.name) };
  return {
    notes: [...notes, ...request.notes],
    proofs,
    deliver: () => Promise.resolve({ image, from }),
  };
}

/** @throws TgoError VERIFY when a variant is not what finalising makes of it */
async function finalise(
  context: PublishContext,
  { prepared: { request }, key, found: { target, variants } }: Assembled & { readonly found: FoundVariants },
): Promise<FinalImage> {
  const { name, source } = request;
  const repository = repositoryOf(target, name);
  const staged = await Promise.all(
    variants.map(({ image }) =>
      readStagedImage({ registry: target.client, repository, reference: image.digest }),
    ),
  );
  const labels = standardLabels(request);
  const image = finaliseVariants(
    staged.flat(),
    {
      platforms: [...context.platforms],
      created: source.created,
      annotations: { ...labels, [CANDIDATE_ANNOTATION]: key },
      manifestAnnotations: labels,
      history: "drop",
    },
    referenceOf(target, name, candidateTag(key)),
  );
  for (const { platform, manifest } of variants) {
    const made = image.variants.find((each) => each.platform === platform)?.manifest.digest;
    if (made === manifest) continue;
    throw new TgoError("VERIFY", `the image of ${platform} is not as build-variant writes it`, {
      where: `${target.name} ${manifest}`,
      remedy: "Find out who pushed it, remove its tag, and build the platform again.",
    });
  }
  return image;
}
