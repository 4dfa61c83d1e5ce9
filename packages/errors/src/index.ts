export { TgoError, type TgoErrorCode, detailsOf, isTgoError, oneLine } from "./error.js";
export { escapeControls, printableText } from "./printable-text.js";
export { type Problem, foreseenProblem, problemOf } from "./problem.js";
