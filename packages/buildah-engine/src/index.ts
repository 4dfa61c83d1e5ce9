export { startEngine, type Engine, type EngineOptions } from "./engine.js";
export type { EngineEvent } from "./events.js";
export { checkHost, type HostNeeds } from "./host.js";
