import { setMaxListeners } from "node:events";
import { EXIT, type CommandProcess } from "./command-process.js";

export type StopSignal = "SIGINT" | "SIGTERM";

export interface Interruption {
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** Resolves on the first Ctrl-C. */
  readonly happened: Promise<StopSignal>;
  /** Stops listening. */
  readonly release: () => void;
}

/** The first SIGINT or SIGTERM aborts the run; the second ends the process. */
export function watchInterruption({ events, exit }: Pick<CommandProcess, "events" | "exit">): Interruption {
  const controller = new AbortController();
  // Every request listens: many listeners are not a leak.
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
