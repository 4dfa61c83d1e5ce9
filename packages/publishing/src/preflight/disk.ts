import type { Problem } from "@tgo/errors";

export const GIGABYTE = 1024 ** 3;

/** @param output of `df -P -k` for one file system @returns undefined when it is something else */
export function freeBytes(output: string): number | undefined {
  const available = Number(output.trim().split("\n").at(-1)?.split(/\s+/)[3]);
  return Number.isFinite(available) ? available * 1024 : undefined;
}

/**
 * A service with its tools and packages takes up to a gigabyte: an engine that had built six services for days held
 * 9 GB. With less than one gigabyte in all, no build starts.
 */
export function diskProblem(
  free: number | undefined,
  services: number,
  engine: string,
): (Problem & { readonly blocks: boolean }) | undefined {
  const needed = services * GIGABYTE;
  if (free === undefined || free >= needed) return undefined;
  return {
    code: "ENVIRONMENT",
    what: `the engine has ${(free / GIGABYTE).toFixed(1)} GB of disk left`,
    where: engine,
    remedy: `Free disk space: building ${services === 1 ? "a service" : `${services} services`} from scratch takes up to ${services} GB.`,
    blocks: free < GIGABYTE,
  };
}
