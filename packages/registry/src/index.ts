export { address } from "./address.js";
export { attachArtifact } from "./attach-artifact.js";
export { type Exec, credentialHelper } from "./auth/credential-helper.js";
export type { Credentials } from "./auth/credentials.js";
export { canonicalHost, parseDockerConfig } from "./auth/docker-config.js";
export { type Keychain, keychain } from "./auth/keychain.js";
export { Registry, type RegistryOptions } from "./client.js";
export { copyImage } from "./copy.js";
export { copyReferrers } from "./copy-referrers.js";
export { digestOf, isDigest, onceByDigest } from "./digest.js";
export type { Retry } from "./http/retry.js";
export { canonicalJson } from "./json.js";
export { isLoopback } from "./loopback.js";
export type { Referrers } from "./list-referrers.js";
export {
  Descriptor,
  ImageConfig,
  Index,
  Manifest,
  ManifestOrIndex,
  isIndex,
  parseConfig,
  parseManifestOrIndex,
} from "./manifest-schemas.js";
export { type FetchedManifest } from "./manifests.js";
export {
  ATTESTATION_ANNOTATION,
  DOCKER_CONFIG,
  DOCKER_FOREIGN_LAYER_GZIP,
  DOCKER_LAYER,
  DOCKER_LAYER_GZIP,
  DOCKER_LAYER_ZSTD,
  DOCKER_LIST,
  DOCKER_MANIFEST,
  MAX_MANIFEST_BYTES,
  OCI_CONFIG,
  OCI_FOREIGN_LAYER_GZIP,
  OCI_INDEX,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
  OCI_MANIFEST,
} from "./media-types.js";
export { concurrencyLimit, inParallel } from "./parallel.js";
export {
  type Repository,
  type TransferProgress,
  type TransferSummary,
  type TransferTarget,
  pushBlobsAndManifests,
} from "./push-blobs-and-manifests.js";
export { type RawAnswer, rawAnswers, type RawRequest } from "./raw-answers.js";
export { type Reference, formatReference, isTag, parseReference } from "./reference.js";
export type { Artifact, ArtifactManifest, AttachResult } from "./referrers.js";
export { type OnBytes, TransferMeter } from "./transfer-meter.js";
export { putTag, type TagPut, type TagToPut } from "./put-tag.js";
