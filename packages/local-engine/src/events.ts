/** What the engine is doing, for a progress display. Steps that only touch files send no events. */
export interface EngineEvent {
  readonly kind: "exec" | "pull" | "push" | "build" | "import" | "service";
  /** A command line, an image reference or a path; secrets are redacted. */
  readonly title: string;
  /** `linux/arm64`. */
  readonly platform?: string;
  /** `cached`: an earlier run's result was used, and nothing was done. */
  readonly state: "start" | "end" | "cached" | "line" | "amount";
  /** One line of output, for `line`. */
  readonly line?: string;
  /** For `amount`: bytes of layers that the registry has, of all. */
  readonly done?: number;
  readonly total?: number;
  /** For `end`. */
  readonly durationMs?: number;
}

export type OnEvent = (event: EngineEvent) => void;

/** Runs a task between its `start` and `end` events, and sends its lines. A failed task ends with `end` too. */
export async function withEvents<T>(
  onEvent: OnEvent,
  what: Pick<EngineEvent, "kind" | "title" | "platform">,
  task: (onLine: (line: string) => void) => Promise<T>,
): Promise<T> {
  const started = performance.now();
  onEvent({ ...what, state: "start" });
  try {
    return await task((line) => {
      onEvent({ ...what, state: "line", line });
    });
  } finally {
    onEvent({ ...what, state: "end", durationMs: Math.round(performance.now() - started) });
  }
}
