/** Output format of a result. */
export enum Format {
  /** Plain-text tables, for terminals. */
  Text = "text",
  /** One JSON document, for programs. */
  Json = "json",
  /** Markdown, for CI job summaries. */
  Markdown = "markdown",
}

/** Output format of a report. */
export enum ReportFormat {
  /** Plain-text tables, for terminals. */
  Text = "text",
  /** One JSON document, for programs. */
  Json = "json",
  /** Markdown, for CI job summaries. */
  Markdown = "markdown",
  /** A self-contained HTML page, for browsers. */
  Html = "html",
}

/** Format of a bill of materials. */
export enum SbomFormat {
  /** CycloneDX 1.6, as JSON. */
  CycloneDx = "cyclonedx",
  /** SPDX 2.3, as JSON. */
  Spdx = "spdx",
}
