export { problemOf } from "./problem.js";
export type {
  Problem,
  RegistryReport,
  RegistryState,
  Report,
  ServiceReport,
  ServiceState,
  SmokeReport,
  VariantReport,
} from "./report.js";
