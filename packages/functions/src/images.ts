// Functions on any image by its reference. They are seldom called, so they are a part of the bundle of their own.
export { combine, type CombineFlags } from "./images/combine.js";
export { diff } from "./images/diff.js";
export { exportImage } from "./images/export.js";
export { importImage, type ImportFlags } from "./images/import.js";
export { inspect, type InspectFlags } from "./images/inspect.js";
export { reproduce, type ReproduceFlags } from "./images/reproduce.js";
export { sbom, type SbomFlags, type SbomFormat } from "./images/sbom.js";
export { tags } from "./images/tags.js";
export { verifyReferences } from "./verify-references.js";
