export { CA_VARIABLES } from "./ca-variables.js";
export { readElfHeader } from "./elf/elf-header.js";
export type { ElfReport } from "./elf/elf-scan.js";
export { scanDirectory } from "./elf/scan-directory.js";
export {
  type FinalImage,
  type FinalOptions,
  finaliseImage,
  finaliseVariants,
  isFinalIndex,
} from "./finalise.js";
export { type LayerSource, scanLayers } from "./layers.js";
export { platformOf } from "./platform.js";
export { pushImage } from "./push-image.js";
export { type StagedVariant, readBlob } from "./read-staged-image.js";
export { type Verification, verifyImage } from "./verify/verify-image.js";
export type { FindingKind, InspectedImage, RemedyFor, VerifyTarget } from "./verify/verify-options.js";
