export { createContext } from "./context.js";
export { ReportError } from "./function-failed.js";
export type { HostOptions, ScanResult } from "./host.js";
export { loginOf } from "./image-registries.js";
export { renderRecord, renderReport } from "./kept-report.js";
export { Multiarch, type MultiarchOptions } from "./multiarch/multiarch.js";
export type { Login, Options, Product } from "./options.js";
export { Pipelines } from "./pipelines.js";
export type { SourceArguments } from "./source-arguments.js";
