export { startRegistry, type LocalRegistry, type RegistryOptions } from "./registry.js";
export { dockerConfig } from "./docker-config.js";
export { decoyServer, htmlServer, type OddServer } from "./odd-servers.js";
export { ensureBases, pushBases, startBaseMirror, type BasesOptions } from "./bases/cache.js";
export type { Log } from "./log.js";
