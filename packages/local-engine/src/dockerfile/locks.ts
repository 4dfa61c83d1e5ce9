/** Keeps tasks that need the same thing apart. */
export class Locks {
  readonly #held = new Map<string, Promise<unknown>>();

  /** Runs a task when no other one holds any of these. */
  async run<T>(names: readonly string[], task: () => Promise<T>): Promise<T> {
    // In one order, so that no two tasks wait for each other.
    const [first, ...more] = [...new Set(names)].sort();
    if (first === undefined) return task();
    const before = this.#held.get(first) ?? Promise.resolve();
    const mine = before.catch(() => undefined).then(() => this.run(more, task));
    this.#held.set(first, mine);
    return mine;
  }
}
