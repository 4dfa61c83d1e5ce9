import { printableText } from "@tgo/errors";
import { amountText, type ProgressEvent } from "@tgo/progress";
import { size } from "@tgo/report";
import type { RunningStep } from "./steps.js";

/** "tgo-api linux/arm64 ghcr upload": from the widest word to the narrowest, on every line. */
export function stepName({ service, platform, registry, step }: ProgressEvent): string {
  return oneLine([service, platform, registry, step].filter((part) => part !== undefined).join(" "));
}

/** How a step ended. */
export function outcomeWord({ state }: ProgressEvent): string {
  return state === undefined || state === "done" ? "ok" : state;
}

/** @param ms milliseconds */
export function elapsed(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${String(Math.floor(seconds % 60)).padStart(2, "0")} s`;
}

/**
 * "packages 27/39", "layers 61/84 MiB at 12.0 MiB/s, 2 s left"; undefined where nobody can tell: Dagger's engine does not
 * say how far it is, and what it does not say is not guessed.
 */
export function amountOf({ amount, rate }: RunningStep): string | undefined {
  if (amount === undefined) return undefined;
  const { done, total, unit } = amount;
  // The step goes on with something else.
  if (done >= total && unit === undefined) return undefined;
  const speed = unit === "bytes" && rate !== undefined && rate > 0 ? ` at ${size(rate * 1000)}/s` : "";
  const left =
    rate === undefined || rate <= 0 || done >= total ? "" : `, ${wholeSeconds((total - done) / rate)} left`;
  return oneLine(`${amountText(amount)}${speed}${left}`);
}

/** Without a fraction: it is a forecast. */
function wholeSeconds(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
}

/** ": 34.2 MiB" */
export function detail({ detail }: ProgressEvent): string {
  return detail === undefined || detail === "" ? "" : `: ${oneLine(detail)}`;
}

/** Names come from a catalog, details from registries and programs. */
export function oneLine(text: string): string {
  return printableText(text).replaceAll(/\s+/g, " ");
}
