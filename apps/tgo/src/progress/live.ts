import { printableText } from "@tgo/errors";
import type { ProgressEvent } from "@tgo/progress";
import { wrap } from "@tgo/report";
import { createLogUpdate } from "log-update";
import pc from "picocolors";
import type { Terminal } from "../command-process.js";
import type { Display } from "./display.js";
import { liveView, type ViewLine } from "./live-view.js";
import { Steps } from "./steps.js";
import { detail, elapsed, outcomeWord, stepName } from "./words.js";

const FRAME_MS = 100;
const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

export interface LiveOptions {
  readonly color: boolean;
  readonly clean: (text: string) => string;
  /** Milliseconds. */
  readonly now?: () => number;
}

/** A row per service at the bottom, redrawn; above it what must not be missed: failures and remarks. */
export function liveDisplay(terminal: Terminal, options: LiveOptions): Display {
  const { clean, now = () => performance.now() } = options;
  const colors = pc.createColors(options.color);
  const steps = new Steps(now);
  const started = now();
  // Its type wants a tty.WriteStream, but it uses only write, columns and rows.
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
  const block = createLogUpdate(terminal as NodeJS.WriteStream);
  let frame = 0;
  let stopped = false;

  const painted = ({ sign, text }: ViewLine): string => {
    const signs = {
      running: colors.cyan(SPINNER[frame % SPINNER.length] ?? ""),
      done: colors.green("✓"),
      failed: colors.red("✗"),
      none: " ",
    };
    return `${signs[sign]} ${text}`;
  };
  const draw = (): void => {
    if (stopped) return;
    const width = Math.max(20, (terminal.columns ?? 80) - 3);
    // A taller block could not be redrawn.
    const height = Math.max(1, (terminal.rows ?? 24) - 2);
    const { finished } = steps;
    const state = { services: [...steps.services], running: steps.running(), finished, now: now(), started };
    const lines = liveView(state, width, height);
    if (lines.length === 0) block.clear();
    else block(lines.map(painted).join("\n"));
  };
  const above = (text: string): void => {
    if (!stopped) block.clear();
    const lines = text.split("\n").flatMap((line) => wrap(line, terminal.columns ?? 80));
    terminal.write(`${lines.join("\n")}\n`);
    draw();
  };
  const timer = setInterval(() => {
    frame++;
    draw();
  }, FRAME_MS);
  timer.unref();

  const ended = (event: ProgressEvent): void => {
    const ms = steps.end(event);
    const isOk = event.state !== "failed" && event.state !== "stopped";
    if (isOk) {
      draw();
      return;
    }
    const [symbol, color] =
      event.state === "failed" ? (["✗", colors.red] as const) : (["■", colors.yellow] as const);
    above(
      `${color(symbol)} ${stepName(event)} ${color(outcomeWord(event))} ${colors.dim(`(${elapsed(ms)})`)}${clean(detail(event))}`,
    );
  };
  return {
    onProgress(event) {
      if (event.kind === "begin") steps.begin(event);
      else if (event.kind === "update") steps.update(event);
      else if (event.kind === "end") ended(event);
      else above(`${colors.blue("·")} ${stepName(event)}${clean(detail(event))}`);
      // Updates are frequent: the next frame shows them.
      if (event.kind === "begin") draw();
    },
    onEngineAmount(amount) {
      steps.updateFromEngine(amount);
    },
    line(text) {
      above(printableText(text));
    },
    running: () =>
      steps.running().map(({ event, since }) => `${stepName(event)} (${elapsed(now() - since)})`),
    stop() {
      if (stopped) return;
      clearInterval(timer);
      block.clear();
      // Shows the cursor again.
      block.done();
      stopped = true;
    },
  };
}
