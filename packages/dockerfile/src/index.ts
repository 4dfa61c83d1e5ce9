export { type Variables, expand } from "./expand.js";
export { type Dockerfile, type Instruction, parseDockerfile, quoteFlag } from "./parse-dockerfile.js";
export {
  type NamedImage,
  type Stage,
  type StageSource,
  flagOf,
  globalArguments,
  imagesOf,
  neededStages,
  parseStages,
  splitOnce,
  targetStage,
} from "./parse-stages.js";
export { parseJsonList, splitWords } from "./words.js";
