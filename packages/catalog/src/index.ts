export { BaseLock, formatBaseLock, parseBaseLock, pinned, type Pins } from "./base-lock.js";
export { Catalog, type CatalogInput, type Mirrors } from "./catalog.js";
export { withMirrorFlags } from "./mirror.js";
export { CatalogOverride, applyOverride, parseOverrideFile } from "./override.js";
export { PLATFORMS, Platform, parsePlatform } from "./platform.js";
export { Registry, parseRegistryFlag, registries, registryRepository } from "./registry.js";
export {
  Service,
  type Build,
  type DockerfileBuild,
  type FileCopy,
  type Healthcheck,
  type Image,
  type PythonBuild,
  type Smoke,
  type StaticWebBuild,
} from "./service.js";
export { BaseImage, mirrored } from "./base-image.js";
export { selectPlatforms, selectServices } from "./select.js";
export { unknownName } from "./unknown-name.js";
