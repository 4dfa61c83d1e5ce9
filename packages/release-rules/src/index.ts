export { afterWrite } from "./after-write.js";
export type { CandidateIdentity } from "./candidate-problem.js";
export { type ReleasedImage, composeRecord } from "./compose-record.js";
export {
  type ClosedGate,
  type Gate,
  type GateEntry,
  type GateReason,
  type OpenGate,
  type ReleaseRegistry,
  decideGate,
  formatReasons,
} from "./gate.js";
export { type ReleaseTag, parseReleaseTag } from "./git-tag.js";
export { type PrunableTag, type PruneOptions, type PruneSelection, selectPrunable } from "./prunable-tags.js";
export { type RegistrySnapshot, snapshotOf } from "./registry-snapshot.js";
export { type PlannedService, type ReleasePlan, planRelease } from "./release-plan.js";
export { newerInLine, ReleaseGuards } from "./release-guards.js";
export { RECORD_MEDIA_TYPE, ReleaseRecord, parseRecord, recordJson } from "./release-record.js";
export { type ReleaseState, releaseState } from "./release-state.js";
export { shortDigest } from "./short-digest.js";
export {
  type IncompleteImage,
  type Pointer,
  type Status,
  type StatusRow,
  pulledImages,
  releaseStatus,
} from "./status.js";
export { isFloating, kindOfTag } from "./tag-kind.js";
export { OTHER_CONTENT_REMEDY } from "./tag-moves.js";
export { TagPolicy, planTags, versionTags } from "./tag-plan.js";
export { type TagStep, isSettled } from "./tag-steps.js";
export { type SeenTag, type TagTarget, tagsOfVersion, tagTargets, versionsOf } from "./tag-target.js";
export { type Version, compareVersions, parseVersion, readVersion } from "./version.js";
