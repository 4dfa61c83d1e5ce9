export { createContext } from "./context.js";
export { ReportError } from "./finish-report.js";
export type { HostOptions } from "./host.js";
export type { Options, Product } from "./options.js";
export { Pipelines, type SourceArguments } from "./pipelines.js";
