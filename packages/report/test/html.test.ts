import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { renderHtml } from "../src/html/render-html.js";
import type { Report } from "../src/index.js";
import { DARK, LIGHT, type Palette } from "../src/html/style.js";
import {
  closedGateReport,
  hostileReport,
  NEXT,
  partlyWrittenReport,
  releasedReport,
} from "./release-sample.js";
import { DIGEST, failedReport, OTHER, report, service } from "./sample.js";

const REPORTS: [string, Report][] = [
  ["a publish", report()],
  ["a failed publish", failedReport()],
  ["a release", releasedReport()],
  ["a release behind a closed gate", closedGateReport()],
  ["a release written in part", partlyWrittenReport()],
];

/** The text a browser would show, with single spaces; enough for a page without entities. */
function shown(page: string): string {
  const body = page.slice(page.indexOf("<body>"));
  return body
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/\s+/g, " ")
    .replaceAll("&#39;", "'");
}

/** A page's elements, without their contents. */
function elements(page: string): string[] {
  return [...page.matchAll(/<(\/?[a-z][a-z0-9]*)/g)].map(([, name = ""]) => name);
}

describe("the HTML report", () => {
  it.each(REPORTS)("of %s is one file that fetches and runs nothing", (_, given) => {
    const page = renderHtml(given);
    expect(page).not.toMatch(
      /<script|<link|<img|<iframe|src=|href="(?!#|https:\/\/)|@import|url\(|\sstyle=|\son[a-z]+=/i,
    );
  });

  it("forbids everything but its own style, which is the one its policy names", () => {
    const page = renderHtml(report());
    const style = /<style>([^]*)<\/style>/.exec(page)?.[1] ?? "";
    const hash = createHash("sha256").update(style).digest("base64");
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1];
    expect(policy).toBe(
      `default-src &#39;none&#39;; style-src &#39;sha256-${hash}&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;`,
    );
  });

  it.each([
    ["markup", `</code></pre><script>alert(1)</script><img src=x onerror=alert(1)>`],
    ["the end of an attribute", `" onmouseover="alert(1)" x='`],
    ["an entity", "&lt;b&gt; &amp; &#x3C;b&#x3E;"],
    ["a template", "${1 + 1} {{x}} <!-- --> ]]>"],
  ])("shows a text with %s as it is", (_, text) => {
    const page = renderHtml(hostileReport(text));
    expect(elements(page)).toEqual(elements(renderHtml(hostileReport("harmless"))));
    const escaped = text
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
      .replaceAll("'", "&#39;");
    expect(page).toContain(`<pre class="command"><code>${escaped}</code></pre>`);
  });

  it("contains no control character, colour or direction mark", () => {
    const page = renderHtml(hostileReport("\u0000\u001B[31mred\u001B[0m\u0007 \u202Egnp.exe\r\nnext"));
    // eslint-disable-next-line no-control-regex
    expect(page).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/);
    expect(page).toContain("<code>\\u0000red\\u0007 \\u202egnp.exe\nnext</code>");
  });

  it("starts with the outcome, the version and the scope", () => {
    expect(shown(renderHtml(closedGateReport()))).toMatch(
      /^ release 1\.2\.3 ✗ failed 6 services × 3 registries × 2 platforms in 3 min 04 s 2026-03-04 05:06 UTC · /,
    );
    expect(renderHtml(releasedReport())).toContain("<title>release 1.2.3 ok</title>");
  });

  it("has the grid, then the gate's reasons, the problems, the next command and the details", () => {
    const page = renderHtml(closedGateReport());
    const words = [
      "<table",
      "Gate closed",
      "tgo-rag in ghcr, dockerhub: the candidate is missing",
      "| Collecting unstructured",
      NEXT,
      "<section",
    ];
    const places = words.map((each) => page.indexOf(each));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(Math.min(...places)).toBeGreaterThan(0);
  });

  it("has the commit of all services once, as a link, and names no image that was never begun", () => {
    const [first, ...others] = service("tgo-api").registries;
    const registries = [
      ...(first === undefined ? [] : [first]),
      ...others.map((each) => ({ ...each, state: "not started" as const })),
    ];
    const revision = "0123456789abcdef0123456789abcdef01234567";
    const source = "https://github.com/tgoai/tgo";
    const page = renderHtml(
      report({
        ok: false,
        services: [
          service("tgo-api", { revision, source, registries }),
          service("tgo-web", { revision, source }),
        ],
      }),
    );
    expect(page.split(revision)).toHaveLength(2);
    expect(page).toContain(
      `<a href="${source}/commit/${revision}" rel="noreferrer noopener"><code>0123456789ab</code></a>`,
    );
    expect(page).not.toContain("docker.io/tgoai/tgo-api:");
    expect(page).toContain("docker.io/tgoai/tgo-web:");
  });

  it("shows a problem's location and output, and the remedy's commands apart from its prose", () => {
    const page = renderHtml(closedGateReport());
    expect(shown(page)).toContain("tgo-rag: repos/tgo-rag/poetry.lock What to do The lock names");
    expect(page).toContain('<pre class="command"><code>poetry lock --directory repos/tgo-rag</code></pre>');
    expect(page).toContain('<pre class="output" tabindex="0"><code>  | Collecting unstructured==0.18\n');
  });

  it("shows state, digest, size and time of every service in every registry and platform", () => {
    const text = shown(renderHtml(releasedReport()));
    expect(
      text.match(/ghcr ✓ done 34\.2 MiB 3\.1 s ✓ (?:done|already there) ghcr\.io\/tgoai\/tgo-deploy\/tgo-/g),
    ).toHaveLength(6);
    expect(
      text.match(
        /linux\/arm64 54\.2 MiB sha256:0f\w+ 9120 checked, 812 ELF, all match aarch64 ✓ ok \(1\.2 s\)/g,
      ),
    ).toHaveLength(6);
  });

  it("shows the previous and new target of every tag", () => {
    const text = shown(renderHtml(releasedReport()));
    expect(text).toContain("ghcr ✓ done new ✓ done 1.2.2 → 1.2.3 ✓ done 1.2.2 → 1.2.3 ✓ done 1.2.2 → 1.2.3");
    expect(text).toContain("✓ stays on 1.3.0, newer than 1.2.3");
    expect(shown(renderHtml(partlyWrittenReport()))).toContain("○ not started still 1.2.2");
  });

  it("has the full digest to copy once per service, and the commands that use it", () => {
    const page = renderHtml(report());
    expect(page.match(new RegExp(`<code class="whole">${DIGEST}</code>`, "g"))).toHaveLength(2);
    const image = "ghcr.io/tgoai/tgo-deploy/tgo-api:candidate-0123456789abcdef";
    expect(page).toContain(`<code>docker pull ${image}</code>`);
    expect(page).toContain(`<code>docker buildx imagetools inspect ${image}</code>`);
    expect(renderHtml(closedGateReport())).not.toContain("docker pull ghcr.io/tgoai/tgo-deploy/tgo-rag");
  });

  it("links to the commit and to registries that have a page, and to nothing that is no plain address", () => {
    const linked = (source: string): string[] => {
      const page = renderHtml(report({ services: [{ ...service("tgo-api"), source }] }));
      return [...page.matchAll(/href="(https:[^"]+)"/g)].map(([, address = ""]) => address);
    };
    const commit = "3f2a9c1d5e7b8a6f4c2d1e0f9a8b7c6d5e4f3a2b";
    const registries = [
      "https://ghcr.io/tgoai/tgo-deploy/tgo-api",
      "https://hub.docker.com/r/tgoai/tgo-api",
      "https://cr.console.aliyun.com/repository/cn-shanghai/tgoai/tgo-api/details",
    ];
    expect(linked("https://github.com/tgoai/tgo.git")).toEqual([
      `https://github.com/tgoai/tgo/commit/${commit}`,
      ...registries,
    ]);
    for (const source of ["javascript:alert(1)//", 'https://x" onclick="', "https://user:pass@host/a"])
      expect(linked(source)).toEqual(registries);
  });

  it("reports digests that differ, with their registries", () => {
    const text = shown(renderHtml(partlyWrittenReport()));
    expect(text).toContain(`the digests differ: ${DIGEST} in ghcr, acr ${OTHER} in dockerhub`);
  });

  it("links from its overview to every service's heading", () => {
    const page = renderHtml(closedGateReport());
    const targets = [...page.matchAll(/href="#([^"]+)"/g)].map(([, id = ""]) => id);
    expect(targets).toHaveLength(6);
    for (const id of targets) expect(page).toContain(`id="${id}"`);
    expect(new Set(page.match(/ id="[^"]+"/g)).size).toBe(page.match(/ id="[^"]+"/g)?.length);
  });

  it.each(REPORTS)("of %s has headings in their order, and tables with captions and scopes", (_, given) => {
    const page = renderHtml(given);
    const levels = [...page.matchAll(/<h(\d)/g)].map(([, level]) => Number(level));
    expect(levels[0]).toBe(1);
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
    levels.slice(1).forEach((level, index) => {
      expect(level - (levels[index] ?? 0)).toBeLessThanOrEqual(1);
    });
    const count = (pattern: RegExp): number => page.match(pattern)?.length ?? 0;
    expect(count(/<table/g)).toBeGreaterThan(1);
    expect(count(/<caption/g)).toBe(count(/<table/g));
    expect(count(/<th(?=[ >])/g)).toBe(count(/<th[^>]* scope="(?:col|row)"/g));
  });

  it("states every state in words beside its colour, and hides the sign from screen readers", () => {
    const page = renderHtml(closedGateReport());
    const marks = [...page.matchAll(/<span class="state \w+"><span aria-hidden="true">.<\/span> ([^<]+)</g)];
    expect(marks.length).toBe(page.match(/class="state /g)?.length);
    expect(new Set(marks.map(([, words]) => words))).toEqual(
      new Set(["failed", "FAILED", "not released", "done", "not started", "ok", "ok (1.2 s)"]),
    );
  });
});

/** @see https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

describe.each([
  ["light", LIGHT],
  ["dark", DARK],
])("the %s colours", (_, palette: Palette) => {
  const { page, panel, text, quiet, link, good, waiting, bad } = palette;

  it.each(Object.entries({ text, quiet, link, good, waiting, bad }))("can be read: %s", (_, color) => {
    expect(contrast(color, page)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(color, panel)).toBeGreaterThanOrEqual(4.5);
  });
});
