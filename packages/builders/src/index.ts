export { type BaseIndex, Bases, type BasesOptions } from "./bases/bases.js";
export { type BuildContext, type HostInfo, baseImage } from "./build-context.js";
export {
  builtPlatforms,
  type BuildRequest,
  type Built,
  type CompileMethod,
  type Variant,
} from "./build-request.js";
export { machineFailure } from "./build-error.js";
export { type BuildBases, basesOf, buildBases, buildVariants, catalogImages } from "./build-variants.js";
export {
  TOOLS_BASE,
  compareRoots,
  equalPackages,
  probeFrom,
  scanRoot,
  toolsContainer,
} from "./container-tools/container-tools.js";
export { isProxyArgument } from "./dockerfile/proxy-arguments.js";
export { emulatorCrashed, nativeRemedy } from "./emulation.js";
export { type ExecFailure, errorMessage, execFailure, lastLines } from "./exec-failure.js";
export { imageLabels, standardLabels } from "./image-config/configure-image.js";
export { startInputChecks } from "./input-checks.js";
export { MACHINES } from "./machines.js";
export {
  type PrepareOptions,
  checkValues,
  prepareBuild,
  readRequest,
  refuseUnreleasable,
  resolveRequest,
} from "./prepare-build.js";
export { commitNotes } from "./source/commit-notes.js";
export type { Source } from "./source/load-source.js";
export { parseCreated, UNKNOWN_TIME } from "./source/times.js";
export type { CompiledPackage } from "./static-web/compiled-package.js";
export { compiledPackages } from "./static-web/compiled-packages.js";
export { withTimeLimit } from "./time-limit.js";
