import type { ProgressEvent } from "@tgo/progress";
import type { Display } from "./display.js";
import { Steps } from "./steps.js";
import { detail, elapsed, outcomeWord, stepName } from "./words.js";

/** Some CI services cancel a job that prints nothing for ten minutes, and people worry much earlier. */
const HEARTBEAT_MS = 30_000;

/** One line when a step begins, one when it ends, and a heartbeat line while it runs. */
export function plainDisplay(
  write: (text: string) => void,
  now: () => number = () => performance.now(),
): Display {
  const steps = new Steps(now);
  const started = now();
  const line = (text: string): void => {
    write(`[${((now() - started) / 1000).toFixed(1)}s] ${text}\n`);
  };
  const heartbeat = setInterval(() => {
    for (const { event, since } of steps.running()) {
      const ms = now() - since;
      if (ms >= HEARTBEAT_MS) line(`${stepName(event)} … still running (${elapsed(ms)})`);
    }
  }, HEARTBEAT_MS);
  heartbeat.unref();

  return {
    onProgress(event: ProgressEvent) {
      switch (event.kind) {
        case "begin":
          steps.begin(event);
          line(`${stepName(event)} …`);
          break;
        case "end":
          line(`${stepName(event)} … ${outcomeWord(event)} (${elapsed(steps.end(event))})${detail(event)}`);
          break;
        case "note":
          line(`${stepName(event)}${detail(event)}`);
      }
    },
    line(text) {
      write(`${text}\n`);
    },
    running: () =>
      steps.running().map(({ event, since }) => `${stepName(event)} (${elapsed(now() - since)})`),
    stop() {
      clearInterval(heartbeat);
    },
  };
}
