export { TgoError, type TgoErrorCode, detailsOf, isTgoError, oneLine } from "./error.js";
export { type Problem, foreseenProblem, problemOf } from "./problem.js";
