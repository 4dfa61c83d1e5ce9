import type { Context } from "./context.js";

/** Where images go: what publishing and releasing need of a context, and nothing that builds. */
export type Destination = Pick<Context, "targets" | "platforms" | "progress" | "signal">;
