import { setMaxListeners } from "node:events";
import { EXIT, type CliProcess } from "./process.js";

export type StopSignal = "SIGINT" | "SIGTERM";

export interface Interruption {
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** Fulfilled by the first Ctrl-C. */
  readonly happened: Promise<StopSignal>;
  /** Stops listening. */
  readonly release: () => void;
}

/** The first SIGINT or SIGTERM asks the run to end; the second one ends the process. */
export function watchInterruption({ events, exit }: Pick<CliProcess, "events" | "exit">): Interruption {
  const controller = new AbortController();
  // Every request of every registry listens: many is no leak.
  setMaxListeners(0, controller.signal);
  let resolve: (signal: StopSignal) => void = () => undefined;
  const happened = new Promise<StopSignal>((fulfil) => {
    resolve = fulfil;
  });
  const onSignal = (name: StopSignal): void => {
    if (controller.signal.aborted) {
      exit(EXIT[name]);
      return;
    }
    controller.abort(new DOMException("interrupted by the user", "AbortError"));
    resolve(name);
  };
  const onInt = (): void => {
    onSignal("SIGINT");
  };
  const onTerm = (): void => {
    onSignal("SIGTERM");
  };
  events.on("SIGINT", onInt);
  events.on("SIGTERM", onTerm);
  return {
    signal: controller.signal,
    happened,
    release: () => {
      events.off("SIGINT", onInt);
      events.off("SIGTERM", onTerm);
    },
  };
}
