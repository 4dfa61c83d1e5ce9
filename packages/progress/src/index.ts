export { Progress, type ProgressEvent, type ProgressListener, formatEvent } from "./progress.js";
