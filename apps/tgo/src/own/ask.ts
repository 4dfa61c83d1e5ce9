import { nearestName } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import type { Ask } from "@tgo/scaffold";
import { createInterface, type Interface } from "node:readline/promises";
import type { CommandProcess } from "../command-process.js";

export interface Asker {
  readonly ask: Ask;
  readonly close: () => void;
}

/**
 * Asks on a terminal; with `yes`, every answer is the default.
 * @throws TgoError USAGE from `ask` if there is no terminal to ask on
 */
export function asker(
  { stdin, stderr }: Pick<CommandProcess, "stdin" | "stderr">,
  yes: boolean,
  write: (text: string) => void,
): Asker {
  let lines: Interface | undefined;
  const ask: Ask = async ({ text, choices, fallback }) => {
    if (yes) return fallback;
    if (stdin?.isTTY !== true)
      throw new TgoError("USAGE", `init has a question, and there is no terminal to ask it on: ${text}`, {
        remedy: "Add --yes to take the defaults.",
      });
    // Questions go to stderr: stdout has the result.
    lines ??= createInterface({ input: stdin, output: stderr, terminal: true });
    const shown = choices === undefined ? "" : ` (${choices.join(", ")})`;
    for (;;) {
      const typed = (
        await answer(lines, `${text}${shown}${fallback === "" ? "" : ` [${fallback}]`}: `)
      ).trim();
      const chosen = typed === "" ? fallback : typed;
      if (choices === undefined || choices.includes(chosen)) return chosen;
      const nearest = nearestName(chosen, choices);
      write(`There is no "${chosen}"${nearest === undefined ? "" : `; did you mean "${nearest}"?`}\n`);
    }
  };
  return { ask, close: () => lines?.close() };
}

/** A terminal that is closed before it answers would leave the question open for ever. */
async function answer(lines: Interface, text: string): Promise<string> {
  const closed = new Promise<never>((_, reject) => {
    lines.once("close", () => {
      reject(new TgoError("INTERRUPTED", "the terminal was closed before it answered; nothing was written"));
    });
  });
  return Promise.race([lines.question(text), closed]);
}
