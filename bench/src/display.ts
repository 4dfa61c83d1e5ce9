import { duration } from "@tgo/report";

/** Where progress goes: one line that changes on a terminal, one line a build elsewhere. */
export class Display {
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly stream: NodeJS.WriteStream) {}

  say(text: string): void {
    this.#clear();
    this.stream.write(`${text}\n`);
  }

  /** @param remaining seconds until everything is measured, as expected now */
  begin(label: string, remaining: number): void {
    this.#clear();
    if (!this.stream.isTTY) return;
    const started = performance.now();
    const draw = (): void => {
      const elapsed = performance.now() - started;
      const left = Math.max(0, remaining * 1000 - elapsed);
      const line = `${label}  ${duration(elapsed)}  (${about(left / 1000)} left)`;
      this.stream.write(`\r\u001b[K${line.slice(0, Math.max(20, this.stream.columns - 1))}`);
    };
    draw();
    this.#timer = setInterval(draw, 500);
  }

  #clear(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.stream.write("\r\u001b[K");
  }
}

/** A forecast for people: it is never more exact than this. */
export function about(seconds: number): string {
  return seconds < 90
    ? `about ${Math.max(1, Math.round(seconds / 10) * 10)} s`
    : `about ${Math.round(seconds / 60)} min`;
}
