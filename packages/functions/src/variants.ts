// Platforms' images that each are built on a machine of their own: a part of the bundle that only this loads.
export { buildVariant, type BuildVariantFlags } from "./variants/build-variant.js";
export { withAssembly } from "./variants/with-assembly.js";
