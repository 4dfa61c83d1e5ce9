export { proveService } from "./build-and-test.js";
export type { Checked } from "./check-variant.js";
export type { Smoked } from "./smoke-variant.js";
