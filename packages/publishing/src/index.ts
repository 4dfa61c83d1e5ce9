export type {
  AttestedImage,
  AttestationRow,
  Attested,
  Attestor,
  ImageSubjects,
} from "./attestation/attestor.js";
export { type AttestorOptions, createAttestor } from "./attestation/create-attestor.js";
export { BuildLedger } from "./attestation/build-ledger.js";
export { imageStatements } from "./attestation/image-statements.js";
export { provenIn } from "./attestation/proof-statements.js";
export { candidateTag } from "./candidate/candidate-key.js";
export { prepareCandidate } from "./candidate/prepare-candidate.js";
export type { Prepared } from "./candidate/prepared.js";
export { pushStaging } from "./candidate/push-staging.js";
export { pullVariant } from "./candidate/pull-variant.js";
export { recordedProofs } from "./candidate/recorded-proofs.js";
export { type ClockSkew, clockProblems, skewSeconds } from "./preflight/clock.js";
export { diskProblem } from "./preflight/disk.js";
export { foreignProgram } from "./preflight/foreign-program.js";
export { type Preflight, preflight, preflightRegistries } from "./preflight/preflight.js";
export { bringVersion, versionNowhere } from "./promote/bring-version.js";
export { prune } from "./prune/prune.js";
export type { PublishOutcome } from "./publish/bring-image.js";
export { bringCandidate, bringService, candidateOf, publishService } from "./publish/publish.js";
export { reportService } from "./publish/service-report.js";
export { compareImages, type ImageComparison } from "./reproduce/compare-images.js";
export { rebuildImage } from "./reproduce/rebuild-image.js";
export { type ReleaseService, releaseServices } from "./release/release.js";
export { statusOf } from "./status/status.js";
export { type Connections, connectHosts, connectTargets, localService } from "./targets/connect-targets.js";
export type { Assembling } from "./publish/assembly.js";
export type { PublishContext } from "./targets/publish-context.js";
export { referenceOf, repositoryOf, type Target } from "./targets/target.js";
export {
  type KnownProof,
  checkedFiles,
  rowsOfVerification,
  smokeRow,
  variantRows,
} from "./verify/verification-rows.js";
export { verifyRemedies } from "./verify/verify-remedies.js";
export { type WatchedTag, watchReleases, type WatchResult } from "./watch/watch-releases.js";
export { verifyTag } from "./verify/verify-tag.js";
export { type AssembleOptions, createAssembly } from "./variants/assemble.js";
export { publishVariant, type VariantOptions, variantRegistry } from "./variants/publish-variant.js";
