export { type ElfReport, machineOf, readElfHeader } from "./elf/elf.js";
export { scanDirectory } from "./elf/scan-directory.js";
export { type FinalImage, type FinalOptions, finaliseImage, finaliseVariants } from "./finalise.js";
export { type LayerSource, scanLayers } from "./layers.js";
export { platformOf } from "./platform.js";
export { pushImage } from "./push-image.js";
export type { StagedVariant } from "./staging.js";
export { type Verification, type VerifyTarget, verifyImage } from "./verify/verify-image.js";
