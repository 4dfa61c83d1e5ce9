import type { Amount, ProgressEvent } from "@tgo/progress";

/** A step that has begun but not ended. */
export interface RunningStep {
  readonly event: ProgressEvent;
  /** Milliseconds, on the display's clock. */
  readonly since: number;
  readonly amount?: Amount;
  /** Units a millisecond, over the last few seconds; undefined until it can be told. */
  readonly rate?: number;
}

/** How a finished step went. */
export interface FinishedStep {
  readonly event: ProgressEvent;
  readonly ms: number;
}

/** Work that an engine reports: it knows the repository it pushes to, or the service of a program, not our steps. */
export interface EngineAmount {
  readonly service?: string;
  /** host/repository:tag */
  readonly reference?: string;
  readonly amount: Amount;
}

/** Milliseconds over which a rate is measured. */
const WINDOW_MS = 5_000;
/** A rate of less is a guess. */
const MIN_WINDOW_MS = 500;
/** Samples come more often than that. */
const STANDSTILL_MS = 2_000;

interface Sample {
  readonly at: number;
  readonly done: number;
}

/** The steps of a run: pairs each step's begin with its end, and follows how far the running ones are. */
export class Steps {
  private readonly steps = new Map<string, RunningStep & { samples: Sample[] }>();
  readonly finished: FinishedStep[] = [];
  /** In the order of their first steps; "" for steps of the whole run. */
  readonly services = new Set<string>();

  constructor(private readonly now: () => number) {}

  begin(event: ProgressEvent): void {
    this.services.add(event.service ?? "");
    this.steps.set(event.id, { event, since: this.now(), samples: [] });
  }

  update({ id, amount }: Pick<ProgressEvent, "id" | "amount">): void {
    const step = this.steps.get(id);
    if (step === undefined || amount === undefined) return;
    const at = this.now();
    const isOther = step.amount !== undefined && step.amount.what !== amount.what;
    const samples = [...(isOther ? [] : step.samples), { at, done: amount.done }];
    // One sample from before the window stays, to measure from.
    const first = samples.findLastIndex((sample) => at - sample.at >= WINDOW_MS);
    this.steps.set(id, { ...step, amount, samples: samples.slice(Math.max(0, first)) });
  }

  /** Work that an engine does for a running step. */
  updateFromEngine({ service, reference, amount }: EngineAmount): void {
    const step = [...this.steps.values()].find(({ event }) =>
      reference === undefined
        ? event.step === "build" && event.service === service
        : event.repository !== undefined && reference.startsWith(`${event.repository}:`),
    );
    if (step !== undefined) this.update({ id: step.event.id, amount });
  }

  /** @returns the step's duration in milliseconds: its own measurement, or else ours */
  end(event: ProgressEvent): number {
    const step = this.steps.get(event.id);
    this.steps.delete(event.id);
    const ms = event.durationMs ?? (step === undefined ? 0 : this.now() - step.since);
    this.finished.push({ event, ms });
    return ms;
  }

  /** In the order they began. */
  running(): RunningStep[] {
    return [...this.steps.values()].map(({ samples, ...step }) => {
      const rate = rateOf(samples, this.now());
      return rate === undefined ? step : { ...step, rate };
    });
  }
}

/** A standstill counts: without new samples, the rate sinks. */
function rateOf(samples: readonly Sample[], now: number): number | undefined {
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined || last.at - first.at < MIN_WINDOW_MS) return undefined;
  const until = now - last.at < STANDSTILL_MS ? last.at : now;
  return (last.done - first.done) / (until - first.at);
}
