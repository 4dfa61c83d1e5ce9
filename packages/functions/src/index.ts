export { createContext } from "./context.js";
export { ReportError } from "./function-failed.js";
export type { HostOptions, ScanResult } from "./host.js";
export type { Options, Product } from "./options.js";
export { Pipelines } from "./pipelines.js";
export type { SourceArguments } from "./source-arguments.js";
