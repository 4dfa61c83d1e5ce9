export {
  BAD_IMAGES,
  type BadImage,
  type Fault as ImageFault,
  JUDGES,
  type Judge,
  plantBadImages,
} from "./bad-images/bad-images.js";
export { pushBases, startBaseMirror } from "./bases/cache.js";
export { dockerConfig } from "./docker-config.js";
export { dockerHubIsReachable } from "./docker-hub.js";
export { elfObject, type ElfSpec } from "./elf-writer.js";
export { fuzz, FUZZ_TIMEOUT_MS, type FuzzTarget } from "./fuzz.js";
export {
  type FakeRequest,
  type FakeServer,
  errorResponse,
  fakeRegistry,
  jsonResponse,
  networkError,
  rejection,
} from "./fake-registry.js";
export { type FaultProxy, startFaultProxy } from "./fault-proxy.js";
export type { Fault, FaultyRequest } from "./fault.js";
export { MemoryRegistry, type MemoryRegistryOptions } from "./memory-registry.js";
export { decoyServer, htmlServer } from "./odd-servers.js";
export {
  IMMUTABLE_TAG_REFUSALS,
  type Quirk,
  REFERRERS_PAGE,
  REFERRERS_REDIRECT,
  aroundWrites,
  conditionalWrites,
  immutableTags,
  laggingTags,
  listTagIsDigest,
  listTagType,
  referrersAnswer,
  referrersApi,
  slow,
  subjectHeader,
} from "./quirks.js";
export { askJudge, hasJudge, type Verdict } from "./judges.js";
export { type LocalRegistry, startRegistry } from "./registry.js";
export { type RegistryTwin, addQuirks, serveMemory, startTwin } from "./registry-twin.js";
export { type Rewrite, rewriteImage } from "./rewrite-image.js";
export { installRequirements, missingRequirements } from "./requirements.js";
export { identityToken, type SigstoreService, startSigstore } from "./sigstore-service.js";
export {
  AARCH64,
  BOTH_PLATFORMS,
  type TarEntry,
  type VariantSpec,
  X86_64,
  createTar,
  elfFile,
  stageImage,
  streamOf,
} from "./stage-images.js";
export { copyOddly, giveAway, type HostSettings, runOn, twoHosts, type TwoHosts } from "./two-hosts.js";
