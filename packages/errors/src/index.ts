export { TgoError, type TgoErrorCode, detailsOf, isTgoError, oneLine } from "./error.js";
export { innerCause, isDiskFull } from "./inner-cause.js";
export { escapeControls, printableText } from "./printable-text.js";
export { type Problem, foreseenProblem, problemOf } from "./problem.js";
