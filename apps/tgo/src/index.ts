export type { HostSettings, LoadedModule, ModuleInstance, Product } from "./loaded-module.js";
export type { Argument, ModuleApi } from "./module-api.js";
export type { CliProcess, Terminal } from "./process.js";
export { runCli } from "./run.js";
export type { Engines } from "./session.js";
