/** What an engine reports of a step: a command that runs, a pull, a build. */
export interface EngineStep {
  readonly kind: string;
  readonly title: string;
  readonly platform?: string;
  readonly state: "start" | "end" | "cached" | "line";
  readonly line?: string;
}

/** Kept of each step that runs. */
const LINES = 10;

/** What the engine prints, and for the error about a build that does not end, the last lines of the steps that run. */
export class EngineOutput {
  readonly #running = new Map<string, string[]>();

  /** @param onLine receives every line, for --verbose */
  constructor(private readonly onLine?: (line: string) => void) {}

  step({ kind, title, platform, state, line = "" }: EngineStep): void {
    const name = [kind, platform, title].filter((part) => part !== undefined).join(" ");
    if (state === "line") this.#keep(name, line);
    else if (state === "start") this.#running.set(name, []);
    else this.#running.delete(name);
    this.onLine?.(state === "line" ? line : `${name} [${state}]`);
  }

  /** A line of an engine that does not tell which step printed it. */
  line(line: string): void {
    if (line.trim() !== "") this.#keep("", line);
    this.onLine?.(line);
  }

  /** The steps that run, each followed by its last lines. */
  readonly last = (): readonly string[] =>
    [...this.#running].flatMap(([name, lines]) => [...(name === "" ? [] : [name]), ...lines]);

  #keep(name: string, line: string): void {
    const lines = this.#running.get(name) ?? [];
    this.#running.set(name, [...lines.slice(1 - LINES), line]);
  }
}
