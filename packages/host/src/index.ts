export { absolutePath, cacheFolder, dockerConfigFolder, homeFolder, pathExists } from "./folders.js";
export { processIdentity } from "./process-identity.js";
export {
  type InputFile,
  type ReadFileOptions,
  hasUnfinishedReads,
  readInputFile,
  readReason,
} from "./read-file.js";
export { type ProgramOptions, type ProgramResult, runProgram } from "./run-program.js";
export { type TrustProblem, trustProblem } from "./trust.js";
