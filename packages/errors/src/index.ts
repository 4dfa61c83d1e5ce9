export {
  TgoError,
  type TgoErrorCode,
  type TgoErrorDetails,
  detailsOf,
  isTgoError,
  oneLine,
} from "./error.js";
export { type Problem, foreseenProblem, problemOf } from "./problem.js";
