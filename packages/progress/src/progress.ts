import { oneLine } from "@tgo/errors";

/**
 * What is being done right now, for people who wait. Never an input of a build.
 * A step begins once and ends once; `id` pairs the two.
 */
export interface ProgressEvent {
  readonly kind: "begin" | "end" | "note";
  /** Unique among the run's steps. */
  readonly id: string;
  /** What is done, e.g. "build", "check", "smoke", "upload", "finalise", "verify". */
  readonly step: string;
  readonly service?: string;
  readonly platform?: string;
  readonly registry?: string;
  /** For "end": how it went. */
  readonly state?: "done" | "already there" | "failed" | "stopped";
  /** One line more: a result, a reason, a size. */
  readonly detail?: string;
  /** For "end": milliseconds since its "begin". */
  readonly durationMs?: number;
}

export type ProgressListener = (event: ProgressEvent) => void;

export type StepNames = Pick<ProgressEvent, "step" | "service" | "platform" | "registry">;

/** What a step says of itself when it ends. */
export interface StepResult {
  readonly state?: "done" | "already there" | "failed";
  readonly detail?: string;
}

/** Tells a listener of every step; measures what it tells. */
export class Progress {
  private count = 0;

  constructor(
    private readonly listener: ProgressListener,
    private readonly now: () => number = () => performance.now(),
    /** Aborted when the user stops the run: what fails then was interrupted. */
    private readonly signal?: AbortSignal,
  ) {}

  /**
   * Runs a step between its "begin" and its "end".
   * @param describe what to say of the result
   */
  async step<T>(names: StepNames, run: () => Promise<T>, describe?: (result: T) => StepResult): Promise<T> {
    const id = `${++this.count}`;
    const started = this.now();
    this.listener({ kind: "begin", id, ...names });
    const end = (result: StepResult): void => {
      const wasStopped = result.state === "failed" && this.signal?.aborted === true;
      const told = wasStopped ? ({ state: "stopped" } as const) : result;
      this.listener({ kind: "end", id, ...names, ...told, durationMs: Math.round(this.now() - started) });
    };
    try {
      const result = await run();
      end({ state: "done", ...describe?.(result) });
      return result;
    } catch (error) {
      end({ state: "failed", detail: oneLine(error) });
      throw error;
    }
  }

  note(names: StepNames, detail: string): void {
    this.listener({ kind: "note", id: `${++this.count}`, ...names, detail });
  }
}

/** One plain line an event: what a Dagger module's log shows. */
export function formatEvent(event: ProgressEvent): string {
  const where = [event.service, event.platform, event.registry]
    .filter((part) => part !== undefined)
    .join(" ");
  const seconds = event.durationMs === undefined ? "" : ` (${(event.durationMs / 1000).toFixed(1)} s)`;
  const state = event.kind === "begin" ? "..." : event.kind === "note" ? "note" : (event.state ?? "done");
  const detail = event.detail === undefined ? "" : `: ${event.detail}`;
  return `${where} ${event.step} ${state}${seconds}${detail}`.trim();
}
