import { printableText } from "@tgo/errors";
import type { ProgressEvent } from "@tgo/progress";

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

/** ": 34.2 MiB" */
export function detail({ detail }: ProgressEvent): string {
  return detail === undefined || detail === "" ? "" : `: ${oneLine(detail)}`;
}

/** Names come from a catalog, details from registries and programs. */
function oneLine(text: string): string {
  return printableText(text).replaceAll(/\s+/g, " ");
}
