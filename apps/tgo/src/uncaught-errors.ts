import type { CliProcess } from "./process.js";

export interface UncaughtErrors {
  /** Fulfilled by the first error that nobody caught. */
  readonly happened: Promise<{ readonly error: unknown }>;
  /** Stops listening. */
  readonly release: () => void;
}

/**
 * Errors that nobody can catch end the run like any other: told in words, credentials taken out. The SDK has one:
 * a session process that fails rejects a promise of its own (provisioning/bin.js of 0.21.8).
 */
export function watchUncaughtErrors({ events }: Pick<CliProcess, "events">): UncaughtErrors {
  let resolve: (stray: { error: unknown }) => void = () => undefined;
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
