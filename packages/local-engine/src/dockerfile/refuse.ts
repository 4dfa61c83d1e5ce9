import type { Instruction } from "@tgo/dockerfile";
import { TgoError } from "@tgo/errors";

/** Where an instruction stands, for messages: "line 3 of Dockerfile". */
export type Place = (at: Instruction) => string;

export function placeIn(file: string): Place {
  return ({ lines }) => `line ${lines[0] + 1} of ${file}`;
}

/** @returns the refusal of what BuildKit builds and this engine does not */
export function unsupported(where: string, what: string): TgoError {
  return new TgoError("SOURCE", `${where}: the local engine does not support ${what}`, {
    remedy:
      "Dagger's engine builds it: start Docker and use --engine dagger; or write the line without it (docs/guides/dockerfile.md lists what both build).",
  });
}

/** @returns the error about a line that no builder accepts */
export function invalid(where: string, problem: string): TgoError {
  return new TgoError("SOURCE", `${where}: ${problem}`, { remedy: "Fix the line." });
}
