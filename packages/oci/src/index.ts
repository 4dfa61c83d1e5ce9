export * from "./constants.js";
export { attachArtifact, type Artifact, type Attached } from "./artifact.js";
export { copyImage } from "./copy.js";
export { credentialHelper, type Exec } from "./credentialhelper.js";
export type { Credentials } from "./credentials.js";
export { digestOf, isDigest } from "./digest.js";
export { canonicalHost, parseDockerConfig, type DockerConfig } from "./dockerconfig.js";
export {
  ElfScan,
  isNeutral,
  machineName,
  machineOf,
  readElfHeader,
  type ElfHeader,
  type ElfReport,
} from "./elf.js";
export { scanDirectory } from "./elfdirectory.js";
export {
  finaliseImage,
  finaliseVariants,
  type FinalImage,
  type FinalOptions,
  type FinalVariant,
  type Sealed,
} from "./finalise.js";
export { canonicalJson } from "./json.js";
export { keychain, type CredentialHelper, type Keychain } from "./keychain.js";
export { mergeLayers, readLayer, scanLayers, type LayerFacts, type LayerSource } from "./layers.js";
export { parsePlatform, platformOf, type Platform, type PlatformParts } from "./platform.js";
export { problemError, problemOf, type Problem } from "./problem.js";
export type { PushProbe } from "./pushprobe.js";
export { pushImage } from "./push.js";
export {
  formatReference,
  isHost,
  isTag,
  parseReference,
  repositoryProblem,
  type Reference,
} from "./reference.js";
export type { Range } from "./blobs.js";
export type { BlobUpload } from "./blobupload.js";
export type { ManifestAnswer, Put } from "./manifests.js";
export { Registry, type RegistryOptions } from "./registry.js";
export type { Access } from "./scope.js";
export {
  Descriptor,
  Document,
  ImageConfig,
  Index,
  Manifest,
  isIndex,
  parseConfig,
  parseDocument,
} from "./schema.js";
export { isAttestation, readStaged, type Source, type StagedVariant } from "./staging.js";
export type { OnProgress, Place, Progress, Transferred } from "./transfer.js";
export type { Body, Content, Retry } from "./transport.js";
export {
  verifyImage,
  type Expectation,
  type VerifiedTarget,
  type VerifiedVariant,
  type Verification,
  type VerifyOptions,
  type VerifyTarget,
} from "./verify.js";
