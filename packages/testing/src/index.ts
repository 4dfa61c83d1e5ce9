export { pushBases, startBaseMirror } from "./bases/cache.js";
export { dockerConfig } from "./docker-config.js";
export { dockerHubAnswers } from "./docker-hub.js";
export {
  type Asked,
  type Server,
  failure,
  fakeRegistry,
  json,
  networkError,
  refusal,
} from "./fake-registry.js";
export { type FaultProxy, startFaultProxy } from "./fault-proxy.js";
export type { Fault, FaultyRequest } from "./fault.js";
export { MemoryRegistry, type MemoryRegistryOptions } from "./memory-registry.js";
export { decoyServer, htmlServer } from "./odd-servers.js";
export { type LocalRegistry, startRegistry } from "./registry.js";
export { installRequirements, missingRequirements } from "./requirements.js";
export {
  AARCH64,
  BOTH,
  type TarEntry,
  type VariantSpec,
  X86_64,
  elf,
  stage,
  streamOf,
  tar,
} from "./stage-images.js";
