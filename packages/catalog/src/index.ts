export { BaseImage, mirrored } from "./base-image.js";
export { BaseLock, type Pins, formatBaseLock, parseBaseLock, pinned } from "./base-lock.js";
export { Catalog, Mirrors } from "./catalog.js";
export { type HealthRequest, healthRequest } from "./health-request.js";
export { type Machine, Machines, type Processor, processorOf } from "./machine.js";
export { withFlags } from "./catalog-flags.js";
export { misspeltName, nearestName } from "./nearest-name.js";
export { type CatalogOrigins, catalogOrigins } from "./origins.js";
export { applyOverride, parseOverrideFile } from "./override.js";
export { CatalogOverride } from "./override-schema.js";
export { parsePlatform } from "./parse-platform.js";
export { Platform } from "./platform.js";
export { Registry, parseRegistryFlag, registryRepository } from "./registry.js";
export { selectPlatforms, selectServices } from "./select.js";
export {
  type Build,
  type DockerfileBuild,
  type Image,
  type PythonBuild,
  Service,
  type StaticWebBuild,
} from "./service.js";
export type { SignaturePolicy } from "./signatures.js";
