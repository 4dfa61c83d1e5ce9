export {
  attest,
  type AttestedStatement,
  type AttestedTarget,
  type AttestOptions,
  type AttestResult,
} from "./attach/attest.js";
export { readAttestations, type FoundAttestation } from "./attach/read-attestations.js";
export type { AttestationTarget } from "./attach/target.js";
export { BUNDLE_TYPE, statementOf } from "./bundle.js";
export {
  CYCLONEDX_PREDICATE,
  PROOF_PREDICATE,
  PROVENANCE_PREDICATE,
  SIGNATURE_PREDICATE,
  SPDX_PREDICATE,
} from "./predicate-types.js";
export { digestSigner, type DigestSignerOptions } from "./sign/digest-signer.js";
export { keySigner } from "./sign/key-signer.js";
export { keylessSigner, type KeylessOptions } from "./sign/keyless-signer.js";
export type { Signer } from "./sign/signer.js";
export { parseStatement, statementBytes, type Attestation, type Statement } from "./statement.js";
export { readTrust, type Trust } from "./verify/trust.js";
export { trustedSigner } from "./verify/trusted-signer.js";
export type { TrustedIdentity, TrustedKey, TrustPolicy } from "./verify/trust-policy.js";
export {
  verifyAttestations,
  type AttestationCheck,
  type AttestedPlace,
  type AttestedSubject,
  type TrustedStatement,
  type VerifyAttestationsOptions,
} from "./verify/verify-attestations.js";
export { verifyBundle, type Distrust, type Verdict } from "./verify/verify-bundle.js";
export { builderOf, UNKNOWN_BUILDER } from "./provenance/builder.js";
export type { BuildInputs, BuildSource } from "./provenance/build-inputs.js";
export { provenanceOf, type Provenance } from "./provenance/provenance.js";
export { readProvenance, type ReadProvenance } from "./provenance/read-provenance.js";
export type { Bill, LockedPackage } from "./sbom/bill.js";
export { cycloneDx } from "./sbom/cyclonedx.js";
export { type BilledImage, billOf, readImageBill } from "./sbom/image-bill.js";
export { spdx } from "./sbom/spdx.js";
