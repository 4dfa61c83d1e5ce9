import { TgoError } from "@tgo/errors";
import type { VariantProof } from "@tgo/proof";
import { variantTag } from "../candidate/candidate-key.js";
import { imageTests } from "../candidate/image-tests.js";
import type { Prepared } from "../candidate/prepared.js";
import type { ImageTests } from "../publish/choose-image.js";
import type { PublishContext } from "../targets/publish-context.js";
import type { FoundVariant, FoundVariants } from "./find-variants.js";
import { judgeProofs, type ProofDemand } from "./judge-proofs.js";
import { howItRan, isNative, nativeTests } from "./native-tests.js";
import { variantCommand } from "./variant-command.js";

/** The proofs of a candidate's platforms, with what the report says of them. */
export interface ProvenVariants {
  readonly proofs: readonly VariantProof[];
  readonly notes: readonly string[];
}

interface Demand extends Omit<ProofDemand, "key" | "tests" | "command"> {
  /** Proofs of this run, by manifest digest. */
  readonly known: ReadonlyMap<string, VariantProof>;
}

interface ProvenVariant {
  readonly proof: VariantProof;
  readonly note: string;
}

/**
 * The proof of each variant: of this run or this engine, else signed by a trusted key; else it is pulled and tested here,
 * once all of them are judged.
 * @throws TgoError VERIFY for a proof that is of something else; CHECK, SMOKE when a variant fails its test now
 */
export async function proveVariants(
  context: PublishContext,
  prepared: Prepared,
  { target, variants }: FoundVariants,
  demand: Demand,
): Promise<ProvenVariants> {
  const judged = await Promise.all(
    variants.map(async (variant) => {
      const tests = testsOf(context, prepared, { target, variant }, demand);
      return { variant, tests, found: await judge(context, prepared, { target, variant, tests }, demand) };
    }),
  );
  const proven = await Promise.all(
    judged.map(async ({ variant, tests, found }) =>
      "proof" in found ? found : testAgain(context, prepared, { variant, tests }, found.unproven),
    ),
  );
  return { proofs: proven.map(({ proof }) => proof), notes: proven.map(({ note }) => note) };
}

interface StoredVariant {
  readonly target: FoundVariants["target"];
  readonly variant: FoundVariant;
}

function testsOf(
  context: PublishContext,
  { key, request: { name, service } }: Prepared,
  { target, variant: { platform } }: StoredVariant,
  { requireNative }: Demand,
): ImageTests {
  const alone = { ...context, platforms: [platform], targets: [target] };
  const tests = imageTests(alone, { name, service }, variantTag(key, platform));
  return requireNative ? nativeTests(tests) : tests;
}

/** @throws TgoError VERIFY for a proof that does not fit, or for none where only another machine can make it */
async function judge(
  context: PublishContext,
  prepared: Prepared,
  { target, variant, tests }: StoredVariant & { readonly tests: ImageTests },
  { known, requireNative, pipelines }: Demand,
): Promise<ProvenVariant | { readonly unproven: string }> {
  const { platform, image, manifest } = variant;
  const { key, request } = prepared;
  const here = known.get(manifest) ?? (await tests.recorded([image])).proofs.get(manifest)?.proof;
  if (here?.smoke !== undefined && (!requireNative || isNative(here)))
    return { proof: here, note: `${platform}: ran ${howItRan(here.smoke)}${onEngine(here)}` };
  const { attestor } = context;
  const claims =
    attestor === undefined || target.registry.referrers === false
      ? []
      : await attestor.claims({ target, service: request.name }, { digest: manifest });
  const judged = judgeProofs(variant, claims, {
    ...{ key, pipelines, requireNative, tests: tests.key ?? "" },
    command: variantCommand(prepared, platform),
  });
  if ("proof" in judged) {
    const { proof, signer } = judged;
    return { proof, note: `${platform}: ran ${howItRan(proof.smoke)}, by the proof that ${signer} signed` };
  }
  const unproven =
    attestor === undefined ? "no key or identity is trusted here to have signed its proof" : judged.unproven;
  if (requireNative && platform !== context.native)
    throw new TgoError("VERIFY", `${platform} has no proof of a native run: ${unproven}`, {
      where: manifest,
      remedy: `Build it on a machine of ${platform}, with a key to sign its proof:\n${variantCommand(prepared, platform, { "require-native": true })}`,
    });
  return { unproven };
}

async function testAgain(
  context: PublishContext,
  { request: { name } }: Prepared,
  { variant, tests }: { readonly variant: FoundVariant; readonly tests: ImageTests },
  unproven: string,
): Promise<ProvenVariant> {
  const { platform, image, manifest } = variant;
  context.progress.note({ step: "assemble", service: name, platform }, `${unproven}: checked and run again`);
  const proof = (await tests.test(image, new Map(), { run: true })).get(manifest)?.proof;
  if (proof === undefined) throw new TgoError("INTERNAL", `${platform} was not tested`);
  return { proof, note: `${platform}: checked and run again ${howItRan(proof.smoke)}, because ${unproven}` };
}

/** Where it ran: on this engine, or on one of several. */
function onEngine({ smoke }: VariantProof): string {
  return smoke?.engine === undefined ? " on this engine" : ` on ${smoke.engine}`;
}
