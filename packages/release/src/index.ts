export { candidateProblem, type CandidateFacts } from "./candidate.js";
export {
  decideGate,
  gateError,
  tellReasons,
  type ClosedGate,
  type Gate,
  type GateEntry,
  type GateReason,
  type OpenGate,
  type ReleaseRegistry,
} from "./gate.js";
export { parseReleaseTag, type ReleaseTag } from "./git-tag.js";
export {
  heldVersion,
  holdings,
  holdsDigest,
  versionBehind,
  versionsOf,
  type Holding,
  type SeenTag,
} from "./holding.js";
export {
  decideFloatingTag,
  decideVersionTag,
  type Claim,
  type FloatingMove,
  type FloatingRequest,
  type VersionMove,
} from "./moves.js";
export { planRelease, type PlannedService, type ReleasePlan } from "./plan.js";
export { nextSteps, type Next, type Progress } from "./progress.js";
export { afterWrite, type AfterWrite } from "./race.js";
export { isSettled, PHASES, type Phase, type Rightful, type Standing, type Step } from "./standing.js";
export { inLine, isFloating, kindOfTag, type FloatingKind, type TagKind } from "./tag-kind.js";
export { LATEST, planTags, TagPolicy, type TagPlan } from "./tags.js";
export {
  compareVersions,
  isNewer,
  newestVersion,
  parseVersion,
  readVersion,
  VERSION_GRAMMAR,
  type Version,
} from "./version.js";
export { composeRecord, type ReleasedImage } from "./compose-record.js";
export { parseRecord, RECORD_MEDIA_TYPE, recordJson, ReleaseRecord } from "./record.js";
export { selectPrunable, type PrunableTag, type PruneOptions, type PruneSelection } from "./prune.js";
export { releaseStatus, type Pointer, type Status, type StatusRow, type StatusService } from "./status.js";
export type { Disagreement } from "./disagreement.js";
export { sightOf, type Held, type Sight } from "./sight.js";
