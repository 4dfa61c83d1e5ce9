export { buildAndTest } from "./build-and-test.js";
export { type MachineProof, machineProofs, promisedMachines } from "./machines/machine-proof.js";
export { compareVariants, differencesOf, notesOf, ownNotesOf, parityError, requireParity } from "./parity.js";
export { type BuiltImageRecord, ProofStore, testsOf } from "./proof-store.js";
export { type VariantProof, testVariant, testVariants } from "./test-variant.js";
