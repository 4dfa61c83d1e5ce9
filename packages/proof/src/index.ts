export { buildAndTest } from "./build-and-test.js";
export type { CheckResult } from "./check-variant.js";
export type { SmokeResult } from "./smoke-variant.js";
