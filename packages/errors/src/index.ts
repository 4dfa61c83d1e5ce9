export { TgoError, isTgoError, oneLine, type TgoErrorCode, type TgoErrorDetails } from "./error.js";
