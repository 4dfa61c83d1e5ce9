export type { Uncommitted } from "./build-context.js";
export type { HostOptions } from "./host.js";
export { ReportError } from "./conclude.js";
export { Pipelines, type OutputFormat, type SourceArguments } from "./pipelines.js";
export type { Options, Product } from "./options.js";
export type { ProgressEvent, ProgressListener } from "./progress.js";
export { formatEvent } from "./progress.js";
