import type { Problem } from "@tgo/errors";
import type { VariantProof } from "@tgo/proof";
import type { Descriptor } from "@tgo/registry";
import type { Target } from "../targets/target.js";

/** An image whose attestations are attached. */
export interface AttestedImage {
  readonly service: string;
  /** Of its index. */
  readonly digest: string;
  readonly proofs?: ImageProofs;
}

/** The manifests of an image that statements are about. */
export interface ImageSubjects {
  readonly service: string;
  readonly index: Descriptor;
  /** One for each platform, in the index's order. */
  readonly platforms: readonly { readonly platform: string; readonly descriptor: Descriptor }[];
  /** A registry that has the image. */
  readonly target: Target;
}

/** What check, link and smoke test found of an image's variants. */
export interface ImageProofs {
  /** Hash of the tests: a proof is of these tests only. */
  readonly tests: string;
  /** By platform. */
  readonly variants: ReadonlyMap<string, VariantProof>;
  /** Whose tests they are, where whoever assembles the image has to know. */
  readonly origin?: ProofOrigin;
}

/** What a platform's image was built and tested for. */
export interface ProofOrigin {
  /** Key of the candidate. */
  readonly key: string;
  /** Hash of the pipelines' code that ran the tests. */
  readonly pipelines: string;
}

/** What one attached bundle says of a variant's tests. */
export type ProofClaim =
  | {
      readonly trusted: true;
      readonly signer: string;
      readonly tests: string;
      readonly origin: ProofOrigin | undefined;
      readonly proof: VariantProof;
    }
  | {
      readonly trusted: false;
      /** Phrased to follow "its proof": "was changed after it was signed". */
      readonly reason: string;
    };

/** What came of an image's attestations in one registry. */
export interface AttestationRow {
  readonly registry: string;
  /** "skipped": the catalog says that the registry takes no artifacts. "missing": nobody trusted signed it. */
  readonly state: "done" | "already there" | "skipped" | "missing" | "failed";
  /** How many of its attestations the registry has. */
  readonly count: number;
  readonly problem?: Problem;
}

export interface Attested {
  readonly rows: readonly AttestationRow[];
  /** For the report. */
  readonly notes: readonly string[];
}

/** Signs images, and attaches what is said of them. Its code is loaded only where there is something to sign or verify. */
export interface Attestor {
  /** Whether an image without a trusted signature counts as failed. */
  readonly required: boolean;
  /** Whether it has a key or an identity to sign with; otherwise it only copies what others signed. */
  readonly signs: boolean;
  /**
   * Attaches the attestations of an image and of its platforms' images to these registries. What any registry of the
   * catalog has from a trusted signer is copied; what none has is signed.
   * @throws TgoError of the signer: then nothing is attached
   */
  readonly attach: (image: AttestedImage, targets: readonly Target[]) => Promise<Attested>;
  /**
   * Proofs of these tests that a trusted signer attached to variants in a registry, by the digests of their manifests; only
   * of this origin, if one is given. Nothing where they cannot be read.
   */
  readonly proofs: (
    from: {
      readonly target: Target;
      readonly service: string;
      readonly tests: string;
      readonly origin?: ProofOrigin;
    },
    variants: readonly { readonly digest: string; readonly platform: string }[],
  ) => Promise<ReadonlyMap<string, VariantProof>>;
  /**
   * Everything that claims to be a proof of a variant, and who says it.
   * @throws TgoError when the registry's list cannot be read
   */
  readonly claims: (
    from: { readonly target: Target; readonly service: string },
    variant: { readonly digest: string },
  ) => Promise<readonly ProofClaim[]>;
}
