import type { EngineEvent } from "@tgo/local-engine";
import type { EngineAmount } from "./steps.js";

const LINE = /^tgo-progress: (\{.*\})$/;

/**
 * How far the local engine, or one of our programs in it, is. A build step of the source's own can print such a line too:
 * it is checked like any foreign text, and can change numbers on a screen only.
 */
export function engineAmount({
  kind,
  title,
  state,
  line = "",
  done,
  total,
}: EngineEvent): EngineAmount | undefined {
  if (state === "amount" && kind === "push" && done !== undefined && total !== undefined)
    return { reference: title, amount: { what: "layers", done, total, unit: "bytes" } };
  const text = state === "line" ? LINE.exec(line)?.[1] : undefined;
  return text === undefined ? undefined : programAmount(text);
}

function programAmount(text: string): EngineAmount | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { service, what, done, total } = value as Record<string, unknown>;
  if (typeof service !== "string" || what !== "packages") return undefined;
  if (!isCount(done) || !isCount(total) || done > total) return undefined;
  return { service, amount: { what, done, total } };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
