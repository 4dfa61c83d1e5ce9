import { duration } from "@tgo/report";

/** Prints progress: a single updating line on a terminal, one line per build elsewhere. */
export class Display {
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly stream: NodeJS.WriteStream) {}

  print(text: string): void {
    this.#clear();
    this.stream.write(`${text}\n`);
  }

  /** @param remaining expected seconds until the benchmark ends */
  start(label: string, remaining: number): void {
    this.#clear();
    if (!this.stream.isTTY) return;
    const started = performance.now();
    const draw = (): void => {
      const elapsed = performance.now() - started;
      const left = Math.max(0, remaining * 1000 - elapsed);
      const line = `${label}  ${duration(elapsed)}  (${formatForecast(left / 1000)} left)`;
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

/** A forecast, deliberately imprecise. */
export function formatForecast(seconds: number): string {
  return seconds < 90
    ? `about ${Math.max(1, Math.round(seconds / 10) * 10)} s`
    : `about ${Math.round(seconds / 60)} min`;
}
