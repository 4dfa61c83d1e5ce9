export type { CommandProcess, Terminal } from "./command-process.js";
export type { LoadedModule, ModuleInstance, Product, Sdk } from "./loaded-module.js";
export type { Argument, ModuleApi } from "./module-api.js";
export { runCommand } from "./run.js";
export type { Engines } from "./session.js";
