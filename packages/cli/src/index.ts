export { runCli } from "./run.js";
export type { EmbeddedEngine, EmbeddedOptions, Engines } from "./session.js";
export { EXIT, type CliProcess, type Terminal } from "./process.js";
export type { HostSettings, LoadedModule, ModuleInstance, Product } from "./product.js";
export type { Argument, EnumType, ModuleFunction, Surface, Type } from "./surface.js";
