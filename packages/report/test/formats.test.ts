import { describe, expect, it } from "vitest";
import { REPORT_FORMATS, render, renderJson, renderMarkdown, type Report } from "../src/index.js";
import { DIGEST, failedReport, report, service } from "./sample.js";

function keysOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(keysOf);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...keysOf(inner)]);
}

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
}

describe("the JSON report", () => {
  it.each([
    ["a success", report()],
    ["a failure", failedReport()],
  ])("holds everything of %s", (_, given) => {
    expect(JSON.parse(renderJson(given))).toEqual(JSON.parse(JSON.stringify(given)));
  });

  it("is the same text whatever order the report was put together in", () => {
    const given = failedReport();
    expect(renderJson(reversed(given) as Report)).toBe(renderJson(given));
  });

  it("starts with what is most asked for", () => {
    expect(keysOf(JSON.parse(renderJson(report()))).slice(0, 2)).toEqual(["command", "ok"]);
  });
});

describe("the Markdown report", () => {
  it("has a heading with the outcome in words", () => {
    expect(renderMarkdown(report())).toMatch(/^## `publish` ✅ ok\n/);
    expect(renderMarkdown(failedReport())).toMatch(/^## `publish` ❌ failed\n/);
  });

  it("has one table row a service and registry, and one a service and platform", () => {
    const rows = renderMarkdown(report())
      .split("\n")
      .filter((line) => line.startsWith("| tgo-"));
    expect(rows).toHaveLength(2 * 3 + 2 * 2);
  });

  it("has the same number of cells in every row, whatever the cells hold", () => {
    const smoke = { ok: true, machine: "x86_64", lines: ["a | b", "two\nlines"], recorded: false };
    const given = report({
      services: [service("tgo-api", { variants: [{ platform: "linux/amd64", smoke }] })],
    });
    const table = renderMarkdown(given)
      .split("\n")
      .filter((line) => line.startsWith("|"))
      .slice(-3);
    expect(table.map((line) => line.split(/(?<!\\)\|/).length)).toEqual([8, 8, 8]);
  });

  it("does not let a registry's HTML answer become part of the page", () => {
    const problem = { code: "INVALID_RESPONSE", what: "answered <script>alert(1)</script>" } as const;
    const page = renderMarkdown(
      report({ ok: false, services: [service("tgo-api", { problems: [problem] })] }),
    );
    expect(page).not.toContain("<script>");
    expect(page).toContain("&lt;script&gt;");
  });

  it("keeps a remedy copyable, even one with backticks", () => {
    const problem = { code: "USAGE", what: "x", remedy: "echo ```" } as const;
    const page = renderMarkdown(
      report({ ok: false, services: [service("tgo-api", { problems: [problem] })] }),
    );
    expect(page).toContain("````sh\n    echo ```\n    ````");
  });

  it("holds the full digest and the command that continues", () => {
    const page = renderMarkdown(failedReport());
    expect(page).toContain(`\`${DIGEST}\` (the same in all 3 registries)`);
    expect(page).toContain("npx --no-install tgo publish --service tgo-api,tgo-web");
  });
});

describe("render", () => {
  it("knows every format", () => {
    const [text, json, markdown] = REPORT_FORMATS.map((format) => render(report(), format));
    expect(text).toContain("publish ok");
    expect(JSON.parse(json ?? "")).toHaveProperty("ok", true);
    expect(markdown).toContain("## ");
  });
});
