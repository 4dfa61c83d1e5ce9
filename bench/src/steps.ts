import type { EngineEvent } from "@tgo/local-engine";
import type { Step } from "./job.js";

const TOLD_FROM_SECONDS = 0.05;
const LONGEST_TITLE = 160;

/** Collects what an engine and the stages tell while a build is timed. */
export class Steps {
  readonly list: Step[] = [];
  #origin: number | undefined;
  #lastLine: number | undefined;

  /** Times are counted from here on. */
  begin(): number {
    this.#origin = performance.now();
    return this.#origin;
  }

  onEngineEvent = ({ kind, title, platform, state, durationMs = 0 }: EngineEvent): void => {
    if (state === "line" && kind === "build") this.#lastLine = performance.now();
    if (state === "end") this.#add(kind, title, platform, durationMs);
  };

  /** When a Dockerfile's build last printed a line: it was done then. */
  get lastLine(): number | undefined {
    return this.#lastLine;
  }

  #add(kind: string, title: string, platform: string | undefined, durationMs: number): void {
    const seconds = durationMs / 1000;
    if (this.#origin === undefined || seconds < TOLD_FROM_SECONDS) return;
    const at = (performance.now() - this.#origin) / 1000 - seconds;
    this.list.push({
      kind,
      title: title.replaceAll(/\s+/g, " ").slice(0, LONGEST_TITLE),
      platform,
      at: rounded(Math.max(0, at)),
      seconds: rounded(seconds),
    });
  }
}

/** Milliseconds are all that a clock of this kind is good for. */
export function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
