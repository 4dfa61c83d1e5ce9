import type { ProgressEvent } from "@tgo/progress";
import type { Display } from "./display.js";
import type { LogSection } from "./log-section.js";
import { Steps } from "./steps.js";
import { amountOf, detail, elapsed, outcomeWord, stepName } from "./words.js";

/** Some CI services cancel a job that prints nothing for ten minutes, and people worry much earlier. */
const HEARTBEAT_MS = 30_000;

/** A shorter step has one line, when it ends. */
const LONG_MS = 5_000;

/** A line when a step ends; for a long one also when it is found to be long, and every 30 s while it runs. */
export function plainDisplay(
  write: (text: string) => void,
  now: () => number = () => performance.now(),
  section?: LogSection,
): Display {
  const steps = new Steps(now);
  const begins = new Map<string, NodeJS.Timeout>();
  const started = now();
  let opened = false;
  const line = (text: string): void => {
    if (!opened) section?.open();
    opened = true;
    write(`[${((now() - started) / 1000).toFixed(1)}s] ${text}\n`);
  };
  const heartbeat = setInterval(() => {
    for (const step of steps.running()) {
      const ms = now() - step.since;
      const amount = amountOf(step);
      const how = amount === undefined ? "" : `: ${amount}`;
      if (ms >= HEARTBEAT_MS) line(`${stepName(step.event)} … still running (${elapsed(ms)})${how}`);
    }
  }, HEARTBEAT_MS);
  heartbeat.unref();

  const begin = (event: ProgressEvent): void => {
    steps.begin(event);
    const timer = setTimeout(() => {
      line(`${stepName(event)} …`);
    }, LONG_MS);
    begins.set(event.id, timer.unref());
  };
  const end = (event: ProgressEvent): void => {
    clearTimeout(begins.get(event.id));
    begins.delete(event.id);
    const ms = steps.end(event);
    if (event.isMinor === true && outcomeWord(event) === "ok" && ms < LONG_MS) return;
    line(`${stepName(event)} … ${outcomeWord(event)} (${elapsed(ms)})${detail(event)}`);
  };
  return {
    onProgress(event: ProgressEvent) {
      if (event.kind === "begin") begin(event);
      else if (event.kind === "end") end(event);
      else if (event.kind === "update") steps.update(event);
      else line(`${stepName(event)}${detail(event)}`);
    },
    onEngineAmount(amount) {
      steps.updateFromEngine(amount);
    },
    line(text) {
      write(`${text}\n`);
    },
    running: () =>
      steps.running().map(({ event, since }) => `${stepName(event)} (${elapsed(now() - since)})`),
    stop() {
      clearInterval(heartbeat);
      for (const timer of begins.values()) clearTimeout(timer);
      if (opened) section?.close();
      opened = false;
    },
  };
}
