import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** In bytes: how much of what has passed may wait for the garbage collector. */
const GARBAGE = 8 * 1024 * 1024;

/**
 * Counts bytes that passed through buffers, and frees these. V8 collects young objects when their own memory is full,
 * and that of buffers is elsewhere: up to 64 MB of them pile up, since V8 12 (Node 22) always so much.
 */
export class PassedBytes {
  #count = 0;

  add(bytes: number): void {
    this.#count += bytes;
    if (this.#count < GARBAGE) return;
    this.#count = 0;
    collect ??= youngCollector();
    collect();
  }
}

let collect: (() => void) | undefined;

/** Does nothing in other runtimes. */
function youngCollector(): () => void {
  try {
    // The one way to the collector without an option of the process. Only contexts made in between have the function.
    setFlagsFromString("--expose-gc");
    const gc = runInNewContext("gc") as (options: { type: "minor" }) => void;
    setFlagsFromString("--no-expose-gc");
    return () => {
      gc({ type: "minor" });
    };
  } catch {
    return () => undefined;
  }
}
