import { describe, expect, it } from "vitest";
import {
  isRetryable,
  REPORT_FORMATS,
  render,
  renderMarkdown,
  renderText,
  type Report,
} from "../src/index.js";
import { renderJson } from "../src/json.js";
import {
  closedGateReport,
  hostileReport,
  incompleteReport,
  NEXT,
  partlyWrittenReport,
  releasedReport,
} from "./release-sample.js";
import { DIGEST, failedReport, report, service, without } from "./sample.js";

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
    const whole = { ...given, schemaVersion: 1 };
    expect(JSON.parse(renderJson(given))).toEqual(JSON.parse(JSON.stringify(whole)));
  });

  it("is the same text in any key order", () => {
    const given = failedReport();
    expect(renderJson(reversed(given) as Report)).toBe(renderJson(given));
  });

  it("starts with the fields most often read", () => {
    expect(keysOf(JSON.parse(renderJson(report()))).slice(0, 2)).toEqual(["command", "ok"]);
  });
});

describe("the Markdown report", () => {
  it("has a heading with the outcome in words", () => {
    expect(renderMarkdown(report())).toMatch(/^## `publish` ✅ ok\n/);
    expect(renderMarkdown(failedReport())).toMatch(/^## `publish` ❌ failed\n/);
  });

  it("has one row per service in the grid, one per service and registry, and one per service and platform", () => {
    const rows = renderMarkdown(report())
      .split("\n")
      .filter((line) => line.startsWith("| tgo-"));
    expect(rows).toHaveLength(2 + 2 * 3 + 2 * 2);
  });

  it("has the same number of cells in every row, whatever they contain", () => {
    const smoke = { ok: true, machine: "x86_64", lines: ["a | b", "two\nlines"], recorded: false };
    const given = report({
      services: [service("tgo-api", { variants: [{ platform: "linux/amd64", smoke }] })],
    });
    const table = renderMarkdown(given)
      .split("\n")
      .filter((line) => line.startsWith("|"))
      .slice(-3);
    expect(table.map((line) => line.split(/(?<!\\)\|/).length)).toEqual([9, 9, 9]);
  });

  it("does not let a registry's HTML response become part of the page", () => {
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
    expect(page).toContain("````sh\n  echo ```\n  ````");
  });

  it("contains the full digest and the next command", () => {
    const page = renderMarkdown(failedReport());
    expect(page).toContain(`\`${DIGEST}\` (the same in all 3 registries)`);
    expect(page).toContain("npx --no-install tgo publish --service tgo-api,tgo-web");
  });
});

describe("the Markdown report of a release", () => {
  it("names the version, the gate with its reasons, and the next command before any table", () => {
    const page = renderMarkdown(closedGateReport());
    const first = page.indexOf("\n| ");
    for (const words of [
      "`release 1.2.3` ❌ failed",
      "**gate closed**",
      "- tgo-rag in ghcr, dockerhub",
      NEXT,
      "**BUILD**",
    ]) {
      expect(page.indexOf(words)).toBeGreaterThan(-1);
      expect(page.indexOf(words)).toBeLessThan(first);
    }
  });

  it("shows the previous and new target of every tag", () => {
    const page = renderMarkdown(releasedReport());
    expect(page).toContain(
      "| tgo-api, tgo-platform, tgo-rag, tgo-widget-app | ghcr, dockerhub, acr | 1.2.3 done (new)<br>1.2, 1, latest done (1.2.2 → 1.2.3) |",
    );
    expect(page).toContain("latest stays on 1.3.0, newer than 1.2.3 |");
  });

  it("keeps its tables and lists intact, whatever registries and build steps print", () => {
    const hostile =
      "a | b\n# head\n- item\n| x | y |\n```\n<img src=x onerror=alert(1)> [click](https://example.com) **b** \\";
    const plain = renderMarkdown(hostileReport("harmless"));
    const page = renderMarkdown(hostileReport(hostile));
    // Fenced text is never markup: a fence is longer than any in its text.
    const bare = (text: string): string => text.replaceAll(/^( *)(`{3,})\w*\n[^]*?^\1\2$/gm, "");
    const shape = (text: string): Record<string, number> => ({
      rows: bare(text).match(/^\| tgo/gm)?.length ?? 0,
      headings: bare(text).match(/^ *#/gm)?.length ?? 0,
      items: bare(text).match(/^ *- /gm)?.length ?? 0,
    });
    expect(shape(page)).toEqual(shape(plain));
    const outsideCode = bare(page).replaceAll(/(`+)(?!`).+?(?<!`)\1(?!`)/g, "");
    expect(outsideCode).not.toMatch(/<img|(?<!\\)\]\(https|(?<!\\)\*\*b/);
  });
});

describe("the record of a release", () => {
  it.each([
    ["text", /^ {2}record +done in ghcr, acr$/m, /^ {2}registries +ghcr, dockerhub, acr/m],
    ["markdown", /^\| tgo-api \| ghcr .* \| 3\.1 s \| done \|$/m, /^\| tgo-api \| dockerhub .* \| - \|$/m],
    [
      "html",
      /data-title="record">\s*<div>\s*<span class="state good">/,
      /<td role="cell" class="none">-<\/td>/,
    ],
  ] as const)(
    "is shown in %s where it was put, and only of a release that has one",
    async (format, put, absent) => {
      const page = await render(releasedReport(), format);
      expect(page).toMatch(put);
      expect(page).toMatch(absent);
      expect(await render(report(), format)).not.toContain("record");
    },
  );
});

describe("the record", () => {
  const record = { version: "1.2.3" };

  it.each<[string, Report, string]>([
    ["where registries take it", releasedReport(), "attached to the images in 2 of 3 registries"],
    [
      "where none takes it",
      report({ services: [service("tgo-api", { state: "released" })] }),
      'not attached: no complete registry has "referrers": true in the catalog (see --format json)',
    ],
    [
      "of half a release",
      partlyWrittenReport(),
      "not attached: the release is not complete (see --format json)",
    ],
  ])("%s, is located", async (_, given, told) => {
    const whole = { ...given, record };
    expect(renderText(whole)).toContain(`\nrecord  ${told}\n`);
    expect(renderMarkdown(whole)).toContain(`\n**record** ${told}\n`);
    expect((await render(whole, "html")).replaceAll("&quot;", '"')).toContain(`<p>Record ${told}.</p>`);
    expect(renderText(given)).not.toContain("\nrecord ");
  });
});

describe("a release that is out, and incomplete", () => {
  const told = "1.2.3 is out. Optional registries are incomplete; the same command completes it.";

  it("is reported as incomplete, not failed", async () => {
    const given = incompleteReport();
    expect(renderText(given)).toMatch(/^release 1\.2\.3 released, incomplete · /);
    expect(renderText(given)).toContain(`\n${told}\n`);
    expect(renderMarkdown(given)).toMatch(/^## `release 1\.2\.3` ⚠️ released, incomplete\n/);
    expect(renderMarkdown(given)).toContain(told);
    const page = await render(given, "html");
    expect(page).toContain("<title>release 1.2.3 released, incomplete</title>");
    expect(page).toContain(`<p class="verdict waiting">${told}</p>`);
  });

  it("by promote is done, and names no next command when there is none", () => {
    const text = renderText(without(incompleteReport({ command: "promote" }), "next"));
    expect(text).toMatch(/^promote 1\.2\.3 done, incomplete · /);
    expect(text).toContain("1.2.3 is out. Optional registries are incomplete.\n");
  });

  it("may lack only its record", () => {
    const text = renderText({ ...releasedReport(), ok: false, next: NEXT });
    expect(text).toContain(
      "1.2.3 is out. Its record is not attached to every image; the same command completes it.\n",
    );
  });

  it("failed when the run itself did", () => {
    const problem = { code: "INTERRUPTED", what: "stopped before it was done" } as const;
    const text = renderText(incompleteReport({ problems: [problem] }));
    expect(text).toMatch(/^release 1\.2\.3 FAILED · /);
    expect(text).toContain("1.2.3 is out. What failed afterwards is listed below.");
  });
});

describe("the text report of a release", () => {
  it("names the version, the gate and the outcome of every tag", () => {
    const text = renderText(partlyWrittenReport(), { width: 120 });
    expect(text).toMatch(/^release 1\.2\.3 FAILED · 6 services × 3 registries × 2 platforms in 3 min 04 s\n/);
    expect(text).toContain("1.2.3 is only partly released; incomplete: tgo-api,");
    expect(text).toContain("gate open");
    expect(text).toContain("later: tgo-web in quay");
    expect(text).toMatch(/tgo-web, tgo-widget-app +acr +1\.2\.3 failed\n/);
    expect(text.match(/the registry answered 503 to the manifest of 1\.2\.3/g)).toHaveLength(1);
    expect(text).toContain("latest not started (still 1.2.2)");
    expect(text).toContain(`\nnext: ${NEXT}\n`);
  });

  it("keeps its prose within the width", () => {
    for (const report of [partlyWrittenReport(), closedGateReport()]) {
      const lines = renderText(without(report, "next"), { width: 100 }).split("\n");
      expect(lines.filter((line) => line.length > 100 && !line.includes(" | "))).toEqual([]);
    }
  });

  it("explains a tag that stays, next to those that were written", () => {
    expect(renderText(releasedReport(), { width: 120 })).toContain(
      "latest stays on 1.3.0, newer than 1.2.3\n",
    );
  });

  it("is not changed by control characters in quoted text", () => {
    const text = renderText(
      hostileReport("\u001B[2J\u001B[31mred\u0007\rover \u001B]0;title\u0007\u202Egnp.exe"),
    );
    // eslint-disable-next-line no-control-regex
    expect(text).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202E]/);
    expect(text).toContain(String.raw`\u001b[2Jred\u0007 over \u001b]0;title\u0007\u202egnp.exe`);
  });
});

describe("the report of a run that failed before any service started", () => {
  const problem = {
    code: "ENVIRONMENT",
    what: "no engine",
    where: "this machine",
    remedy: "Start one.",
  } as const;
  const early = without(
    report({ ok: false, engine: undefined, services: [], problems: [problem] }),
    "pipeline",
  );

  it.each(["text", "markdown", "html"] as const)("says what and why in %s", async (format) => {
    const page = await render(early, format);
    for (const words of [
      "failed before any service started",
      "no engine",
      "this machine",
      "Start one.",
      "ENVIRONMENT",
    ])
      expect(page).toContain(words);
  });
});

describe("whether the same command may succeed later", () => {
  it.each([
    ["UNAVAILABLE", true],
    ["INTERRUPTED", true],
    ["BUILD", false],
    ["CATALOG", false],
  ] as const)("after %s: %s", (code, expected) => {
    expect(isRetryable({ services: [], problems: [{ code, what: "x" }] })).toBe(expected);
  });

  it("is no for something missing everywhere, yes for something missing in one registry", () => {
    const problem = { code: "NOT_FOUND", what: "x" } as const;
    const [registry] = service("tgo-api").registries;
    if (registry === undefined) throw new Error("a service has registries");
    const nowhere = service("tgo-api", { problems: [problem] });
    const somewhere = service("tgo-api", { registries: [{ ...registry, problems: [problem] }] });
    expect(isRetryable({ services: [nowhere], problems: [problem] })).toBe(false);
    expect(isRetryable({ services: [somewhere] })).toBe(true);
  });
});

describe("render", () => {
  it("knows every format", async () => {
    const [text, json, markdown, html] = await Promise.all(
      REPORT_FORMATS.map((format) => render(report(), format)),
    );
    expect(text).toContain("publish ok");
    expect(JSON.parse(json ?? "")).toHaveProperty("ok", true);
    expect(markdown).toContain("## ");
    expect(html).toContain("<!doctype html>");
  });
});
