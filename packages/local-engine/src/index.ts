export { checkHost } from "./check-host.js";
export { emulationProblem, emulatorOf, hostPlatform } from "./emulation.js";
export { type Engine, type EngineOptions, startEngine } from "./engine.js";
export type { EngineEvent } from "./events.js";
export { matcher } from "./files/select.js";
