// Functions on releases and on what registries have: a part of the bundle of their own, which builds do not load.
export { preflight } from "./preflight.js";
export { promote } from "./promote.js";
export { prune } from "./prune.js";
export { release } from "./release.js";
export { status } from "./status.js";
export { watch } from "./watch.js";
