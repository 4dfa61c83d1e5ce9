// Functions on releases, on what registries have, and on platforms that are built one by one: a part of the bundle of their
// own, which builds do not load.
export { preflight } from "./preflight.js";
export { promote } from "./promote.js";
export { prune, pruneApply } from "./prune.js";
export { release } from "./release.js";
export { status } from "./status.js";
export { watch } from "./watch.js";
export { buildVariant, type BuildVariantFlags } from "./variants/build-variant.js";
export { withAssembly } from "./variants/with-assembly.js";
export { checkBases, checkPublished, checkSmoke, refreshBases } from "./checks.js";
export { lockBases } from "./lock-bases.js";
export { publishCandidate, releaseImage, variant, verification } from "./module-objects.js";
export { plan } from "./plan.js";
