import type { ProgressEvent } from "@tgo/progress";

/** A step that has begun and not ended. */
export interface RunningStep {
  readonly event: ProgressEvent;
  /** Milliseconds on the display's clock. */
  readonly since: number;
}

/** Pairs the begin and the end of each step. */
export class Steps {
  private readonly steps = new Map<string, RunningStep>();

  constructor(private readonly now: () => number) {}

  begin(event: ProgressEvent): void {
    this.steps.set(event.id, { event, since: this.now() });
  }

  /** @returns milliseconds the step took: its own word for it, or ours. */
  end(event: ProgressEvent): number {
    const step = this.steps.get(event.id);
    this.steps.delete(event.id);
    return event.durationMs ?? (step === undefined ? 0 : this.now() - step.since);
  }

  /** In the order they began. */
  running(): RunningStep[] {
    return [...this.steps.values()];
  }
}
