export {
  type Amount,
  Progress,
  amountText,
  type ProgressEvent,
  type ProgressListener,
  formatEvent,
} from "./progress.js";
