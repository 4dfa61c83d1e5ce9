import type { Display } from "./display.js";
import { Steps } from "./steps.js";
import { elapsed, stepName } from "./words.js";

/** Prints no progress, but keeps the list of running steps for an interruption's message. */
export function quietDisplay(
  write: (text: string) => void,
  now: () => number = () => performance.now(),
): Display {
  const steps = new Steps(now);
  return {
    onProgress(event) {
      if (event.kind === "begin") steps.begin(event);
      if (event.kind === "end") steps.end(event);
    },
    onEngineAmount: () => undefined,
    line(text) {
      write(`${text}\n`);
    },
    running: () =>
      steps.running().map(({ event, since }) => `${stepName(event)} (${elapsed(now() - since)})`),
    stop: () => undefined,
  };
}
