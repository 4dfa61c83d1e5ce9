import type { ProgressEvent } from "@tgo/progress";

/** A step that has begun but not ended. */
export interface RunningStep {
  readonly event: ProgressEvent;
  /** Milliseconds, on the display's clock. */
  readonly since: number;
}

/** The running steps: pairs each step's begin with its end. */
export class Steps {
  private readonly steps = new Map<string, RunningStep>();

  constructor(private readonly now: () => number) {}

  begin(event: ProgressEvent): void {
    this.steps.set(event.id, { event, since: this.now() });
  }

  /** @returns the step's duration in milliseconds: its own measurement, or else ours */
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
