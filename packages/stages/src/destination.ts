import type { Context } from "./context.js";

/** Where images go: what publishing and releasing need of a context, and nothing that builds. */
export interface Destination extends Pick<Context, "targets" | "platforms" | "progress" | "signal"> {
  /** Milliseconds that a registry which is not required is waited for, where it is better to know. */
  readonly patienceMs?: number | undefined;
}
