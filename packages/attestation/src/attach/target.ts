import type { Registry } from "@tgo/registry";

/** A repository that attestations are attached in. */
export interface AttestationTarget {
  /** The registry's name, for reports. */
  readonly name: string;
  readonly registry: Registry;
  readonly repository: string;
  /** The same registry without credentials, when anyone should find them. */
  readonly anonymous?: Registry;
  /** Which config their manifests have: some registries, such as Aliyun ACR, refuse the usual empty one. */
  readonly config: "empty" | "image-config";
}
