import { Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { textWidth } from "@tgo/report";
import { liveDisplay } from "../src/progress/live.js";
import { logSection } from "../src/progress/log-section.js";
import { plainDisplay } from "../src/progress/plain.js";
import type { Terminal } from "../src/command-process.js";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A terminal small enough to reason about: knows erasing and moving up, which is all that is used. */
class Screen {
  readonly written: string[] = [];
  readonly stream: Terminal;
  cursorHidden = false;
  private lines = [""];

  constructor(columns: number, rows: number) {
    const sink = new Writable({
      decodeStrings: false,
      write: (chunk: string, _encoding, done) => {
        this.feed(chunk);
        done();
      },
    });
    this.stream = Object.assign(sink, { isTTY: true, columns, rows });
  }

  text(): string {
    return this.lines.join("\n");
  }

  private feed(chunk: string): void {
    this.written.push(chunk);
    // eslint-disable-next-line no-control-regex
    for (const part of chunk.match(/\u001B\[\??\d*[A-Za-z]|\n|[^\u001B\n]+/g) ?? []) {
      if (part === "\n") this.lines.push("");
      else if (part === "\u001B[?25l") this.cursorHidden = true;
      else if (part === "\u001B[?25h") this.cursorHidden = false;
      else if (part === "\u001B[2K") this.lines[this.lines.length - 1] = "";
      else if (part === "\u001B[1A") this.lines.pop();
      else if (!part.startsWith("\u001B")) this.lines.push(`${this.lines.pop() ?? ""}${part}`);
    }
  }
}

const upload = { step: "upload", service: "tgo-api", platform: "linux/arm64", registry: "acr" };

describe("the live display", () => {
  function open(columns = 80, rows = 24): { screen: Screen; display: ReturnType<typeof liveDisplay> } {
    const screen = new Screen(columns, rows);
    return {
      screen,
      display: liveDisplay(screen.stream, { color: false, clean: (text) => text, now: () => Date.now() }),
    };
  }

  const rowsOf = (screen: Screen): string[] =>
    screen
      .text()
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.replace(/^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/, "*"));

  it("has a row per service with what it does and for how long", () => {
    const { screen, display } = open();
    display.onProgress({ kind: "begin", id: "1", step: "build", service: "tgo-api" });
    display.onProgress({
      kind: "begin",
      id: "2",
      step: "check",
      service: "tgo-web",
      platform: "linux/amd64",
    });
    display.onProgress({
      kind: "begin",
      id: "3",
      step: "check",
      service: "tgo-web",
      platform: "linux/arm64",
    });
    vi.advanceTimersByTime(3200);
    expect(rowsOf(screen)).toEqual([
      "* tgo-api  build 3.2 s",
      "* tgo-web  check linux/amd64, linux/arm64 3.2 s",
      "  2 of 2 services at work · 3.2 s",
    ]);
    display.stop();
  });

  it("folds what has ended into its service's row", () => {
    const { screen, display } = open();
    for (const [id, step] of [
      ["1", "prepare"],
      ["2", "build"],
    ] as const) {
      display.onProgress({ kind: "begin", id, step, service: "tgo-web" });
      vi.advanceTimersByTime(1000);
      display.onProgress({ kind: "end", id, step, service: "tgo-web", state: "done", detail: "2 platforms" });
    }
    display.onProgress({ kind: "begin", id: "3", ...upload });
    vi.advanceTimersByTime(2000);
    expect(rowsOf(screen)).toEqual([
      "✓ tgo-web  build ok",
      "* tgo-api  upload acr 2.0 s",
      "  1 of 2 services at work · 4.0 s",
    ]);
    display.stop();
  });

  it("says how far each registry's upload is, how fast, how long it will take, and all together", () => {
    const { screen, display } = open();
    const registries = ["ghcr", "dockerhub"];
    registries.forEach((registry, index) => {
      const repository = `${registry}.io/tgoai/tgo-api`;
      display.onProgress({
        kind: "begin",
        id: `${index}`,
        step: "upload",
        service: "tgo-api",
        registry,
        repository,
      });
    });
    display.onProgress({ kind: "begin", id: "9", step: "build", service: "tgo-web" });
    const MIB = 1 << 20;
    for (let second = 0; second <= 4; second++) {
      for (const registry of registries) {
        const reference = `${registry}.io/tgoai/tgo-api:staging-1`;
        const done = second * (registry === "ghcr" ? 12 : 6) * MIB;
        display.onEngineAmount({
          reference,
          amount: { what: "layers", done, total: 84 * MIB, unit: "bytes" },
        });
      }
      display.onEngineAmount({
        service: "tgo-web",
        amount: { what: "packages", done: second + 23, total: 39 },
      });
      if (second < 4) vi.advanceTimersByTime(1000);
    }
    vi.advanceTimersByTime(100);
    expect(rowsOf(screen)).toEqual([
      "* tgo-api  upload 4.1 s",
      "    ghcr       layers 48/84 MiB at 12.0 MiB/s, 3 s left",
      "    dockerhub  layers 24/84 MiB at 6.0 MiB/s, 10 s left",
      "* tgo-web  build 4.1 s packages 27/39, 12 s left",
      "  2 of 2 services at work · 4.1 s · layers 72/168 MiB at 18.0 MiB/s, 6 s left",
    ]);
    display.stop();
  });

  it("says each of several steps once: the first beside the service, the others below it", () => {
    const { screen, display } = open();
    const begin = (id: string, step: string, more: object): void => {
      display.onProgress({ kind: "begin", id, step, service: "tgo-api", ...more });
    };
    begin("1", "smoke", { platform: "linux/arm64" });
    for (const registry of ["ghcr", "acr"]) {
      begin(registry, "upload", { registry, repository: `${registry}.io/tgoai/tgo-api` });
      display.onEngineAmount({
        reference: `${registry}.io/tgoai/tgo-api:staging-1`,
        amount: { what: "layers", done: 0, total: 84 * 2 ** 20, unit: "bytes" },
      });
    }
    vi.advanceTimersByTime(100);
    expect(rowsOf(screen).slice(0, 4)).toEqual([
      "* tgo-api  smoke linux/arm64 0.1 s",
      "    upload 0.1 s",
      "      ghcr  layers 0/84 MiB",
      "      acr   layers 0/84 MiB",
    ]);
    display.stop();
  });

  it("shows a failure and its reason", () => {
    const { screen, display } = open();
    display.onProgress({ kind: "begin", id: "1", ...upload });
    display.onProgress({
      kind: "end",
      id: "1",
      ...upload,
      state: "failed",
      durationMs: 65_000,
      detail: "refused",
    });
    expect(screen.text()).toContain("✗ tgo-api linux/arm64 acr upload failed (1 min 05 s): refused");
    display.stop();
  });

  it("shows an interrupted step as stopped, not failed", () => {
    const { screen, display } = open();
    display.onProgress({ kind: "begin", id: "1", ...upload });
    display.onProgress({ kind: "end", id: "1", ...upload, state: "stopped", durationMs: 1000 });
    expect(screen.text()).toContain("■ tgo-api linux/arm64 acr upload stopped (1.0 s)");
    display.stop();
  });

  it.each([40, 60, 80, 120])(
    "never writes a line wider than %i columns, nor more lines than there are",
    (columns) => {
      const { screen, display } = open(columns, 6);
      for (let id = 0; id < 20; id++) {
        const service = `服务-with-a-long-name-${id}`;
        display.onProgress({ kind: "begin", id: `${id}a`, ...upload, service });
        display.onProgress({
          kind: "begin",
          id: `${id}b`,
          ...upload,
          service,
          registry: "a registry of a long name",
        });
      }
      vi.advanceTimersByTime(200);
      const lines = rowsOf(screen);
      expect(lines.length).toBeLessThan(6);
      expect(Math.max(...lines.map((line) => textWidth(line)))).toBeLessThan(columns);
      expect(lines.at(-2)).toContain("and 18 more");
      display.stop();
    },
  );

  it("leaves nothing of the block, and the cursor visible, when it stops", () => {
    const { screen, display } = open();
    display.onProgress({ kind: "begin", id: "1", ...upload });
    vi.advanceTimersByTime(200);
    display.stop();
    vi.advanceTimersByTime(1000);
    expect(screen.text().trim()).toBe("");
    expect(screen.cursorHidden).toBe(false);
  });

  it("prints the engine's lines above the block", () => {
    const { screen, display } = open();
    display.onProgress({ kind: "begin", id: "1", ...upload });
    display.line("pulling layers");
    const lines = screen
      .text()
      .split("\n")
      .filter((line) => line !== "");
    expect(lines[0]).toBe("pulling layers");
    expect(lines[1]).toContain("upload");
    display.stop();
  });
});

describe("the plain display", () => {
  it("has one line for a short step, two for a long one, and none for a minor one that went well", () => {
    let text = "";
    const display = plainDisplay(
      (chunk) => (text += chunk),
      () => Date.now(),
    );
    const run = (step: string, ms: number, more = {}): void => {
      display.onProgress({ kind: "begin", id: step, step, ...more });
      vi.advanceTimersByTime(ms);
      display.onProgress({ kind: "end", id: step, step, state: "done", ...more });
    };
    run("start the engine", 100, { isMinor: true });
    run("prepare", 400);
    run("build", 6000);
    expect(text).toBe("[0.5s] prepare … ok (0.4 s)\n[5.5s] build …\n[6.5s] build … ok (6.0 s)\n");
    display.stop();
  });

  it("has its number in the heartbeat, where the step can tell how far it is", () => {
    let text = "";
    const display = plainDisplay(
      (chunk) => (text += chunk),
      () => Date.now(),
    );
    display.onProgress({ kind: "begin", id: "1", step: "build", service: "tgo-api" });
    display.onEngineAmount({ service: "tgo-api", amount: { what: "packages", done: 27, total: 39 } });
    display.onEngineAmount({ service: "tgo-web", amount: { what: "packages", done: 1, total: 2 } });
    vi.advanceTimersByTime(30_000);
    expect(text).toContain("[30.0s] tgo-api build … still running (30.0 s): packages 27/39\n");
    display.stop();
  });

  it.each([
    [
      "GitHub Actions",
      { GITHUB_ACTIONS: "true" },
      /^::group::tgo: steps\n\[.*\] engine: local\n::endgroup::\n$/,
    ],
    [
      "GitLab",
      { GITLAB_CI: "true" },
      // eslint-disable-next-line no-control-regex
      /^\u001B\[0Ksection_start:\d+:tgo_steps\r\u001B\[0Ktgo: steps\n\[.*\n.*section_end:/,
    ],
    ["nothing it knows", {}, /^\[0\.0s\] engine: local\n$/],
  ])("folds its lines on %s", (_, env, expected) => {
    const screen = new Screen(80, 24);
    const write = (text: string): void => void screen.stream.write(text);
    const display = plainDisplay(write, () => Date.now(), logSection({ env, stderr: screen.stream }));
    display.onProgress({ kind: "note", id: "1", step: "engine", detail: "local" });
    display.stop();
    expect(screen.written.join("")).toMatch(expected);
  });

  it("prints a heartbeat for a long step, so that no job looks hung", () => {
    let text = "";
    const display = plainDisplay(
      (chunk) => (text += chunk),
      () => Date.now(),
    );
    display.onProgress({ kind: "begin", id: "1", ...upload });
    vi.advanceTimersByTime(29_000);
    expect(text).not.toContain("still running");
    vi.advanceTimersByTime(32_000);
    expect(text.match(/^\[\d+\.0s\] tgo-api linux\/arm64 acr upload … still running \(.*\)$/gm)).toHaveLength(
      2,
    );
    display.stop();
    vi.advanceTimersByTime(60_000);
    expect(text.match(/still running/g)).toHaveLength(2);
  });

  it("says what was already there", () => {
    let text = "";
    const display = plainDisplay((chunk) => (text += chunk));
    display.onProgress({
      kind: "end",
      id: "1",
      ...upload,
      state: "already there",
      durationMs: 100,
      detail: "sha256:ab",
    });
    expect(text).toMatch(/ upload … already there \(0\.1 s\): sha256:ab\n$/);
    display.stop();
  });
});
