export { countCertificates } from "./certificates.js";
export { connects } from "./connects.js";
export { diagnose, type Row } from "./diagnose.js";
export type {
  EngineFacts,
  HostFacts,
  MirrorFacts,
  PlatformFacts,
  ProxyFacts,
  RegistryFacts,
  Seen,
} from "./host-facts.js";
export { type ProbeResult, type ProbeRow, probeRegistry } from "./probe/probe-registry.js";
export { renderProbe } from "./probe/render-probe.js";
export { registryFacts } from "./registry-facts.js";
export { renderRows } from "./render.js";
export { runProgramOf } from "./run-program-of.js";
