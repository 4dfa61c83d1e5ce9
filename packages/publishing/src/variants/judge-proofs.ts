import { MACHINES } from "@tgo/builders";
import { TgoError } from "@tgo/errors";
import type { VariantProof } from "@tgo/proof";
import type { ProofClaim, ProofOrigin } from "../attestation/attestor.js";
import type { FoundVariant } from "./find-variants.js";
import { howItRan, isNative } from "./native-tests.js";

/** What a variant's proof must be. */
export interface ProofDemand extends ProofOrigin {
  /** Hash of the tests. */
  readonly tests: string;
  readonly requireNative: boolean;
  /** Builds and tests the platform again. */
  readonly command: string;
}

/** A proof that counts, or why the variant has to be tested again. */
export type Judgement =
  { readonly proof: VariantProof; readonly signer: string } | { readonly unproven: string };

/**
 * Judges what signed statements say of a variant. What nobody trusted signed says nothing: the variant is tested again. What
 * a trusted signer says, and is of something else, is refused: one of the machines does other things than was asked for.
 * @throws TgoError VERIFY for a trusted proof of another candidate, other pipelines or another machine, or of emulation
 */
export function judgeProofs(
  { platform, manifest }: Pick<FoundVariant, "platform" | "manifest">,
  claims: readonly ProofClaim[],
  demand: ProofDemand,
): Judgement {
  const trusted = claims.flatMap((claim) => (claim.trusted ? [claim] : []));
  const [distrusted] = claims.flatMap((claim) => (claim.trusted ? [] : [claim.reason]));
  if (trusted.length === 0)
    return { unproven: distrusted === undefined ? "it has no signed proof" : `its proof ${distrusted}` };
  const ours = trusted.filter(({ tests }) => tests === demand.tests);
  if (ours.length === 0) return { unproven: "its proof is of other tests" };
  // What an ordinary publish of the same bytes attached.
  const named = ours.filter(({ origin }) => origin !== undefined);
  if (named.length === 0) return { unproven: "its proof names no candidate" };
  const judged = named.map((claim) => ({ ...claim, wrong: whatIsWrong(platform, claim, demand) }));
  // The same bytes may have been proven for several candidates, natively and not.
  const fitting = judged.filter(({ wrong }) => wrong === undefined);
  const chosen = fitting.find(({ proof }) => isNative(proof)) ?? fitting[0];
  if (chosen !== undefined) return { proof: chosen.proof, signer: chosen.signer };
  const reasons = [...new Set(judged.map(({ wrong, signer }) => `${wrong ?? ""} (${signer})`))];
  throw new TgoError("VERIFY", `the proof of ${platform} is ${reasons.join("; ")}`, {
    where: manifest,
    remedy: `Build and test the platform on a machine of ${platform}, with this version of the pipelines:\n${demand.command}`,
  });
}

function whatIsWrong(
  platform: FoundVariant["platform"],
  { proof, origin }: Extract<ProofClaim, { readonly trusted: true }>,
  { key, pipelines, requireNative }: ProofDemand,
): string | undefined {
  if (proof.platform !== platform) return `of another platform, ${proof.platform}`;
  const { smoke } = proof;
  if (smoke?.machine !== MACHINES[platform]) return `of another machine, ${smoke?.machine ?? "unknown"}`;
  if (requireNative && !isNative(proof)) return `of a run ${howItRan(smoke)}, and --require-native was given`;
  if (origin?.key !== key) return `of another candidate, ${origin?.key ?? ""}`;
  if (origin.pipelines !== pipelines)
    return `of other pipelines, ${origin.pipelines}; these are ${pipelines}`;
  return undefined;
}
