/** "I signed this": what `cosign sign` writes, and `cosign verify` looks for. */
export const SIGNATURE_PREDICATE = "https://sigstore.dev/cosign/sign/v1";
/** https://slsa.dev/spec/v1.0/provenance */
export const PROVENANCE_PREDICATE = "https://slsa.dev/provenance/v1";
/** https://cyclonedx.org/bom, and https://spdx.dev/Document: the names that cosign and others use. */
export const CYCLONEDX_PREDICATE = "https://cyclonedx.org/bom";
export const SPDX_PREDICATE = "https://spdx.dev/Document";
/** Our own: what check, link and smoke test found of a manifest. */
export const PROOF_PREDICATE = "https://github.com/tgoai/tgo/proof/v1";

const SHORT_NAMES: Readonly<Record<string, string>> = {
  [SIGNATURE_PREDICATE]: "signature",
  [PROVENANCE_PREDICATE]: "provenance",
  [PROOF_PREDICATE]: "proof",
  [CYCLONEDX_PREDICATE]: "CycloneDX SBOM",
  [SPDX_PREDICATE]: "SPDX SBOM",
};

/** "provenance", "CycloneDX SBOM": a predicate's type in reports; the type itself where it has no other name. */
export function predicateName(predicateType: string | undefined): string {
  return SHORT_NAMES[predicateType ?? ""] ?? predicateType ?? "unknown statement";
}
