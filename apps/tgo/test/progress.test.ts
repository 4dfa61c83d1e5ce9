import { Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { liveDisplay } from "../src/progress/live.js";
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

  it("shows each running step and its elapsed time", () => {
    const { screen, display } = open();
    display.onProgress({ kind: "begin", id: "1", ...upload });
    vi.advanceTimersByTime(3200);
    expect(screen.text()).toContain("tgo-api linux/arm64 acr upload  3.2 s");
    display.stop();
  });

  it("keeps finished steps above the running ones, each once, with outcome and duration", () => {
    const { screen, display } = open();
    display.onProgress({ kind: "begin", id: "1", step: "build", service: "tgo-web" });
    display.onProgress({ kind: "begin", id: "2", ...upload });
    vi.advanceTimersByTime(1000);
    display.onProgress({ kind: "end", id: "1", step: "build", service: "tgo-web", state: "done" });
    vi.advanceTimersByTime(1000);
    const lines = screen
      .text()
      .split("\n")
      .filter((line) => line !== "");
    expect(lines[0]).toBe("✓ tgo-web build ok (1.0 s)");
    expect(lines[1]).toContain("tgo-api linux/arm64 acr upload  2.0 s");
    expect(lines).toHaveLength(2);
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

  it("never writes a running line wider than the terminal, nor more lines than it has", () => {
    const { screen, display } = open(40, 6);
    for (let id = 0; id < 20; id++) {
      display.onProgress({ kind: "begin", id: String(id), ...upload, service: "a-service-with-a-long-name" });
    }
    vi.advanceTimersByTime(200);
    const lines = screen
      .text()
      .split("\n")
      .filter((line) => line !== "");
    expect(lines.length).toBeLessThan(6);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(40);
    expect(lines.at(-1)).toContain("and 17 more");
    display.stop();
  });

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
