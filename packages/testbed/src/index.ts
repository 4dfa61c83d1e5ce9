export { startRegistry, type LocalRegistry, type RegistryOptions } from "./registry.js";
export { dockerConfig } from "./docker-config.js";
export { decoyServer, htmlServer, type OddServer } from "./odd-servers.js";
