import { oneLine } from "@tgo/errors";
import { duration, printableLine, size } from "@tgo/report";

/** What is happening right now, for people who watch. Never an input of a build. */
export interface ProgressEvent {
  readonly kind: "begin" | "update" | "end" | "note";
  /** Unique within the run; a step's "begin" and "end" share it. */
  readonly id: string;
  /** What is being done, e.g. "build", "check", "smoke", "upload", "finalise", "verify". */
  readonly step: string;
  readonly service?: string;
  readonly platform?: string;
  readonly registry?: string;
  /** The repository that the step writes to, `host/repository`: an engine that does the work knows only this. */
  readonly repository?: string;
  /** For "update": how far it is. */
  readonly amount?: Amount;
  /** Told only if it fails or takes long. */
  readonly isMinor?: boolean;
  /** For "end": the outcome. */
  readonly state?: "done" | "already there" | "failed" | "stopped";
  /** One more line: a result, a reason, a size. */
  readonly detail?: string;
  /** For "end": milliseconds since its "begin". */
  readonly durationMs?: number;
}

/** How much of a step's work is done, where whoever does it can tell. */
export interface Amount {
  /** "layers", "packages" */
  readonly what: string;
  readonly done: number;
  readonly total: number;
  readonly unit?: "bytes";
}

export type ProgressListener = (event: ProgressEvent) => void;

export type StepNames = Pick<ProgressEvent, "step" | "service" | "platform" | "registry" | "repository">;

/** A step's description of its own result. */
export interface StepResult {
  readonly state?: "done" | "already there" | "failed" | "stopped";
  readonly detail?: string;
}

/** Reports every step to a listener, with the time it took. */
export class Progress {
  private count = 0;
  /** Services that have failed. */
  readonly #ended = new Set<string>();

  constructor(
    private readonly listener: ProgressListener,
    private readonly now: () => number = () => performance.now(),
    /** Aborted when the user stops the run: a step that fails afterwards is "stopped", not "failed". */
    private readonly signal?: AbortSignal,
  ) {}

  /**
   * Runs a step between its "begin" and its "end".
   * @param run is given a function that reports how far it is
   * @param describe describes the result for the "end" event
   */
  async step<T>(
    names: StepNames,
    run: (update: (amount: Amount) => void) => Promise<T>,
    describe?: (result: T) => StepResult,
  ): Promise<T> {
    const id = `${++this.count}`;
    const started = this.now();
    this.listener({ kind: "begin", id, ...names });
    const end = (result: StepResult): void => {
      const isOver = this.signal?.aborted === true || this.#ended.has(names.service ?? "");
      const wasStopped = result.state === "failed" && isOver;
      const shown = wasStopped ? ({ state: "stopped" } as const) : result;
      this.listener({ kind: "end", id, ...names, ...shown, durationMs: Math.round(this.now() - started) });
    };
    try {
      const result = await run((amount) => {
        this.listener({ kind: "update", id, ...names, amount });
      });
      end({ state: "done", ...describe?.(result) });
      return result;
    } catch (error) {
      end({ state: "failed", detail: oneLine(error) });
      throw error;
    }
  }

  /** A service has failed, which is told elsewhere: of its steps that still run, one that fails was "stopped". */
  endService(service: string): void {
    this.#ended.add(service);
  }

  note(names: StepNames, detail: string): void {
    this.listener({ kind: "note", id: `${++this.count}`, ...names, detail });
  }
}

/** An event as one plain line, as a Dagger module's log shows it: "tgo-api linux/arm64 build done (4.7 s)". */
export function formatEvent(event: ProgressEvent): string {
  const where = [event.service, event.platform, event.registry]
    .filter((part) => part !== undefined)
    .join(" ");
  const time = event.durationMs === undefined ? "" : ` (${duration(event.durationMs)})`;
  const states = { begin: "...", update: amountText(event.amount), note: "note", end: event.state ?? "done" };
  const state = states[event.kind];
  const detail = event.detail === undefined ? "" : `: ${event.detail}`;
  return printableLine(`${where} ${event.step} ${state}${time}${detail}`.trim());
}

/** "packages 27/39", "layers 61/84 MiB" */
export function amountText(amount: Amount | undefined): string {
  if (amount === undefined) return "";
  const { what, done, total, unit } = amount;
  if (unit === undefined) return `${what} ${done}/${total}`;
  const [number = "", name = ""] = size(total).split(" ");
  const scale = total / Number(number);
  return `${what} ${total === 0 ? 0 : Math.floor(done / scale)}/${Math.round(Number(number))} ${name}`;
}
