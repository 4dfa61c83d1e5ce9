export { setHost, type Host, type Uncommitted } from "./host.js";
export { ReportError } from "./conclude.js";
export { Pipelines, type OutputFormat, type SourceArguments } from "./pipelines.js";
export type { Options, Product } from "./context.js";
export type { ProgressEvent, ProgressListener } from "./progress.js";
export { formatEvent } from "./progress.js";
