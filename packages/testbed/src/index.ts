export { installRequirements, missingRequirements, type Requirement } from "./requirements.js";
export { startRegistry, type LocalRegistry, type RegistryOptions } from "./registry.js";
export { dockerConfig } from "./docker-config.js";
export { decoyServer, htmlServer, type OddServer } from "./odd-servers.js";
export type { Fault, FaultRule, FaultyRequest, SeenRequest } from "./fault.js";
export { startFaultProxy, type FaultProxy } from "./fault-proxy.js";
export { ensureBases, pushBases, startBaseMirror, type BasesOptions } from "./bases/cache.js";
export { dockerHubAnswers, type DockerHubOptions } from "./docker-hub.js";
export type { Log } from "./log.js";
