export { defined } from "./defined.js";
export { renderMarkdown } from "./markdown.js";
export { jsonText, mapTexts, printableLine } from "./printable-text.js";
export { type Finding, findings } from "./findings.js";
export { count, duration, size } from "./quantities.js";
export { type PruneResult, renderPrune } from "./render-prune.js";
export { renderStatus } from "./render-status.js";
export { type OutputFormat, renderLine, renderTable } from "./render-table.js";
export { REPORT_FORMATS, type ReportFormat, render } from "./render.js";
export type {
  CheckReport,
  LinkSummary,
  MachineReport,
  RegistryReport,
  Report,
  ServiceReport,
  SmokeReport,
  TagReport,
  VariantReport,
} from "./report.js";
export { isRetryable } from "./retryable.js";
export { isInPlace } from "./tag-summary.js";
export { wrap } from "./table.js";
export { textWidth } from "./text-width.js";
export { renderText } from "./text.js";
