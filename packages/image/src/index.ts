export { CA_VARIABLES } from "./ca-variables.js";
export { bytesOf, type FileBytes } from "./elf/file-bytes.js";
export { type ElfFacts, headerOf, type VersionNeed } from "./elf/elf-facts.js";
export { readElfHeader } from "./elf/elf-header.js";
export { readElfFacts } from "./elf/read-elf-facts.js";
export { StreamedElf } from "./elf/streamed-elf.js";
export type { ElfReport, ElfScanOptions } from "./elf/elf-scan.js";
export { scanDirectory } from "./elf/scan-directory.js";
export {
  type FinalImage,
  type FinalOptions,
  finaliseImage,
  finaliseVariants,
  isFinalIndex,
} from "./finalise.js";
export { type LinkFinding, linkFindingText, linkRemedy, type LinkReport } from "./link/link-report.js";
export {
  type BillFile,
  type BillFileKind,
  type BillFiles,
  billFileKind,
  isBillFile,
  packBillFiles,
  unpackBillFiles,
} from "./packages/bill-files.js";
export type { InstalledPackage, PackageKind } from "./packages/installed-package.js";
export {
  MAX_PACKAGE_FILE_BYTES,
  type PackageFileKind,
  type PackageInventory,
  packageFileKind,
  readPackages,
} from "./packages/package-files.js";
export type { FileSelection, ImageFile } from "./layers/read-files.js";
export { FilesReader } from "./layers/files-reader.js";
export { LAYERS_AT_ONCE, type LayerSource, scanLayers } from "./layers/read-layer.js";
export {
  fittingMachines,
  type Misfit,
  misfitRemedy,
  misfitText,
  type PromisedMachine,
} from "./machines/machine-scan.js";
export { compareContents, type VariantContents } from "./parity/compare-contents.js";
export { readContents } from "./parity/read-contents.js";
export { parsePlatform, platformOf } from "./platform.js";
export { pushImage } from "./push-image.js";
export { readStagedArchive } from "./read-staged-archive.js";
export { isAttestation, type StagedVariant, readBlob, readStagedImage } from "./read-staged-image.js";
export type { Check, CheckName } from "./verify/check.js";
export { type Verification, verifyImage } from "./verify/verify-image.js";
export type {
  ContentChecks,
  FindingKind,
  InspectedImage,
  RemedyFor,
  VerifyTarget,
} from "./verify/verify-options.js";
