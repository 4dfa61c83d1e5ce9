export { renderHtml } from "./html/page.js";
export { renderJson } from "./json.js";
export { renderMarkdown } from "./markdown.js";
export { table as markdownTable, text as markdownText } from "./markdown-text.js";
export { problemOf } from "./problem.js";
export { helpsToRepeat } from "./repeat.js";
export { REPORT_FORMATS, render, type ReportFormat } from "./render.js";
export { isInPlace } from "./tag-facts.js";
export { renderText, type TextOptions } from "./text.js";
export { printableLine, withTexts } from "./texts.js";
export type {
  GateReport,
  Problem,
  RegistryReport,
  RegistryState,
  Report,
  ServiceReport,
  ServiceState,
  SmokeReport,
  TagReport,
  VariantReport,
} from "./report.js";
