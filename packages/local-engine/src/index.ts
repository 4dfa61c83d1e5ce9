export { type Engine, type EngineOptions, startEngine } from "./engine.js";
export type { EngineEvent } from "./events.js";
export { checkHost } from "./host.js";
