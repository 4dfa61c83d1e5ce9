import { printableText } from "@tgo/errors";
import type { ProgressEvent } from "@tgo/progress";
import { createLogUpdate } from "log-update";
import pc from "picocolors";
import type { Terminal } from "../command-process.js";
import type { Display } from "./display.js";
import { Steps, type RunningStep } from "./steps.js";
import { detail, elapsed, outcomeWord, stepName } from "./words.js";

const FRAME_MS = 100;
const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

export interface LiveOptions {
  readonly color: boolean;
  readonly clean: (text: string) => string;
  /** Milliseconds. */
  readonly now?: () => number;
}

/** A block of running steps at the bottom, with the finished ones above it. */
export function liveDisplay(terminal: Terminal, options: LiveOptions): Display {
  const { clean, now = () => performance.now() } = options;
  const colors = pc.createColors(options.color);
  const steps = new Steps(now);
  // Its type wants a tty.WriteStream, but it uses only write, columns and rows.
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
  const block = createLogUpdate(terminal as NodeJS.WriteStream);
  let frame = 0;
  let stopped = false;

  const draw = (): void => {
    if (stopped) return;
    const lines = runningLines(steps.running(), now(), terminal);
    const spinner = SPINNER[frame % SPINNER.length] ?? "";
    if (lines.length === 0) block.clear();
    else block(lines.map((line) => `${colors.cyan(spinner)} ${line}`).join("\n"));
  };
  const above = (text: string): void => {
    if (!stopped) block.clear();
    terminal.write(`${text}\n`);
    draw();
  };
  const timer = setInterval(() => {
    frame++;
    draw();
  }, FRAME_MS);
  timer.unref();

  return {
    onProgress(event) {
      if (event.kind === "begin") {
        steps.begin(event);
        draw();
      } else {
        const ms = event.kind === "end" ? steps.end(event) : undefined;
        above(finishedLine(event, ms, clean, colors));
      }
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

function finishedLine(
  event: ProgressEvent,
  ms: number | undefined,
  clean: (text: string) => string,
  colors: ReturnType<typeof pc.createColors>,
): string {
  const text = clean(detail(event));
  if (ms === undefined) return `${colors.blue("·")} ${stepName(event)}${text}`;
  const [symbol, color] =
    event.state === "failed"
      ? ["✗", colors.red]
      : event.state === "stopped"
        ? ["■", colors.yellow]
        : ["✓", colors.green];
  return `${color(symbol)} ${stepName(event)} ${color(outcomeWord(event))} ${colors.dim(`(${elapsed(ms)})`)}${text}`;
}

/** One line per step, no more than fit on the screen: a taller block could not be redrawn. */
function runningLines(running: readonly RunningStep[], now: number, terminal: Terminal): string[] {
  const width = Math.max(20, (terminal.columns ?? 80) - 3);
  const height = Math.max(1, (terminal.rows ?? 24) - 2);
  const shown = running.slice(0, running.length > height ? height - 1 : height);
  const lines = shown.map(({ event, since }) => fit(stepName(event), elapsed(now - since), width));
  const hidden = running.length - shown.length;
  return hidden > 0 ? [...lines, `… and ${hidden} more`] : lines;
}

function fit(name: string, time: string, width: number): string {
  const room = width - time.length - 2;
  return `${name.length > room ? `${name.slice(0, room - 1)}…` : name}  ${time}`;
}
