import type { EngineEvent } from "@tgo/local-engine";
import type { Step } from "./job.js";

const MIN_STEP_SECONDS = 0.05;
const MAX_TITLE_LENGTH = 160;

/** Collects the steps an engine reports during a timed build. */
export class Steps {
  readonly list: Step[] = [];
  #origin: number | undefined;

  /** Starts the clock. */
  begin(): number {
    this.#origin = performance.now();
    return this.#origin;
  }

  onEngineEvent = ({ kind, title, platform, state, durationMs = 0 }: EngineEvent): void => {
    if (state === "end") this.#add(kind, title, platform, durationMs);
  };

  #add(kind: string, title: string, platform: string | undefined, durationMs: number): void {
    const seconds = durationMs / 1000;
    if (this.#origin === undefined || seconds < MIN_STEP_SECONDS) return;
    const at = (performance.now() - this.#origin) / 1000 - seconds;
    this.list.push({
      kind,
      title: title.replaceAll(/\s+/g, " ").slice(0, MAX_TITLE_LENGTH),
      ...(platform === undefined ? {} : { platform }),
      at: roundToMs(Math.max(0, at)),
      seconds: roundToMs(seconds),
    });
  }
}

/** A wall clock is no more precise than this. */
export function roundToMs(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
