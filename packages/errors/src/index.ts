export { TgoError, type TgoErrorCode, type TgoErrorDetails, isTgoError, oneLine } from "./error.js";
