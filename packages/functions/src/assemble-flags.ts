import { TgoError } from "@tgo/errors";
import type { ShellArguments } from "./shell-arguments.js";

/** Whether a publish takes platforms' images that other machines built. */
export type AssembleFlags = ShellArguments<{
  assemble: boolean;
  /** How long to wait for the other machines: "30m", "90s", "1h". */
  wait: string;
  /** Whether runs under emulation are refused. */
  requireNative: boolean;
}>;

/** A day: no job of a CI system runs longer. */
const MAX_WAIT_MS = 24 * 3600 * 1000;

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

/**
 * Reads `--wait`; milliseconds.
 * @throws TgoError USAGE for what is no time, and for flags that need `--assemble`
 */
export function waitTime({ assemble = false, wait, requireNative = false }: AssembleFlags): number {
  const alone = wait !== undefined ? "--wait" : requireNative ? "--require-native" : undefined;
  if (!assemble && alone !== undefined)
    throw new TgoError("USAGE", `${alone} has no --assemble`, {
      remedy: "Pass --assemble as well, to take images that build-variant made, or leave it out.",
    });
  if (wait === undefined) return 0;
  const [, digits, unit = ""] = /^(\d{1,6})([smh])$/.exec(wait) ?? [];
  const time = Number(digits) * (UNITS[unit] ?? Number.NaN);
  if (time <= MAX_WAIT_MS) return time;
  throw new TgoError("USAGE", `--wait "${wait}" is no time from 0s to 24h`, {
    remedy: "Give a number and a unit: --wait 30m, 90s or 1h.",
  });
}
