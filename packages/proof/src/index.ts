export { buildAndTest } from "./build-and-test.js";
export { type BuiltImageRecord, ProofStore } from "./proof-store.js";
export { type VariantProof, testVariant } from "./test-variant.js";
