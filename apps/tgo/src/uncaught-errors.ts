import type { CommandProcess } from "./command-process.js";

export interface UncaughtErrors {
  /** Resolves on the first uncaught error. */
  readonly happened: Promise<{ readonly error: unknown }>;
  /** Stops listening. */
  readonly release: () => void;
}

/**
 * Uncaught errors end the run like any other error: printed without a stack, credentials redacted. The SDK has one: a
 * session process that fails rejects a promise that nobody else holds (provisioning/bin.js of 0.21.8).
 */
export function watchUncaughtErrors({ events }: Pick<CommandProcess, "events">): UncaughtErrors {
  let resolve: (uncaught: { error: unknown }) => void = () => undefined;
  const happened = new Promise<{ error: unknown }>((fulfil) => {
    resolve = fulfil;
  });
  const onError = (error: unknown): void => {
    resolve({ error });
  };
  events.on("unhandledRejection", onError);
  events.on("uncaughtException", onError);
  return {
    happened,
    release: () => {
      events.off("unhandledRejection", onError);
      events.off("uncaughtException", onError);
    },
  };
}
