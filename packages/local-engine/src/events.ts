/** What the engine is doing, for a progress display. Steps that touch only files are not told. */
export interface EngineEvent {
  readonly kind: "exec" | "pull" | "push" | "build" | "import" | "service";
  /** A command line, an image reference or a path; secrets are scrubbed. */
  readonly title: string;
  /** `linux/arm64`. */
  readonly platform?: string | undefined;
  /** `cached`: the result of an earlier run was taken, nothing was done. */
  readonly state: "start" | "end" | "cached" | "line";
  /** One line of output, for `line`. */
  readonly line?: string | undefined;
  /** For `end`. */
  readonly durationMs?: number | undefined;
}

export type OnEvent = (event: EngineEvent) => void;

/** Tells the start and the end of a task, and its lines. The end of a failed one is told too. */
export async function told<T>(
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
