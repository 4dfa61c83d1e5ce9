export { buildAndTest } from "./build-and-test.js";
export { ProofStore } from "./proof-store.js";
export { type VariantProof, testVariant } from "./test-variant.js";
