export {
  type Changes,
  checkoutRoot,
  type CheckoutOptions,
  exportCommit,
  type Exported,
  hasCommit,
  type Head,
  readChanges,
  readHead,
} from "./checkout.js";
export type { Difference, DifferenceKind } from "./compare.js";
export type { GitRun } from "./git-run.js";
export { originUrl } from "./origin-url.js";
export { type TagFacts, tagFacts, type TagQuestion } from "./tag-facts.js";
export { TemporaryFolders } from "./temporary-folders.js";
