import type { Display } from "./display.js";
import { Steps } from "./steps.js";
import { elapsed, stepName } from "./words.js";

/** Shows nothing but what it is told to; still knows what runs, for the one who interrupts it. */
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
    line(text) {
      write(`${text}\n`);
    },
    running: () =>
      steps.running().map(({ event, since }) => `${stepName(event)} (${elapsed(now() - since)})`),
    stop: () => undefined,
  };
}
