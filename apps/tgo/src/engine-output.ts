import type { EngineEvent } from "@tgo/local-engine";
import { engineAmount } from "./progress/engine-amount.js";
import type { EngineAmount } from "./progress/steps.js";

/** Kept of each step that runs. */
const LINES = 10;

/** What the engine prints, and for the error about a build that does not end, the last lines of the steps that run. */
export class EngineOutput {
  readonly #running = new Map<string, string[]>();

  /**
   * @param onLine receives every line, for --verbose
   * @param onAmount receives how far the engine is with an upload or a program with its downloads
   */
  constructor(
    private readonly onLine?: (line: string) => void,
    private readonly onAmount?: (amount: EngineAmount) => void,
  ) {}

  step(step: EngineEvent): void {
    const { kind, title, platform, state, line = "" } = step;
    const amount = engineAmount(step);
    if (amount !== undefined) this.onAmount?.(amount);
    if (amount !== undefined || state === "amount") return;
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
