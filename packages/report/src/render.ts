import { renderJson } from "./json.js";
import { renderMarkdown } from "./markdown.js";
import type { Report } from "./report.js";
import { renderText, type TextOptions } from "./text.js";

export const REPORT_FORMATS = ["text", "json", "markdown", "html"] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

/** The report in a format; only text uses the options. */
export async function render(
  report: Report,
  format: ReportFormat,
  options: TextOptions = {},
): Promise<string> {
  switch (format) {
    case "text":
      return renderText(report, options);
    case "json":
      return renderJson(report);
    case "markdown":
      return renderMarkdown(report);
    case "html": {
      // Loaded when it is asked for: a call of the Dagger module loads all the rest.
      const { renderHtml } = await import("./html/render-html.js");
      return renderHtml(report);
    }
  }
}
