export { withoutMark } from "./byte-order-mark.js";
export { commandLine, emptyFlag, type Flags, flagOf, flagWords, shellQuote, wordsOfFlag } from "./command.js";
export { ERROR_CODES, type ErrorCodeEntry } from "./error-codes.js";
export { CHINESE_ERROR_CODES, type ChineseErrorCode } from "./error-codes-zh.js";
export { TgoError, type TgoErrorCode, detailsOf, isTgoError, oneLine, problemText } from "./error.js";
export { DISK_FULL, innerCause, isDiskFull, saysDiskFull } from "./inner-cause.js";
export { escapeControls, printableText } from "./printable-text.js";
export { type Problem, errorOf, foreseenProblem, problemOf } from "./problem.js";
