import type { Plugin } from "esbuild";

export function bundleTools(): Promise<string>;
export const textPlugin: Plugin;
export const sdkPlugin: Plugin;
export const shellPlugin: Plugin;

/**
 * Hash of the code that decides an image's bytes.
 * @param overrides contents of files by path, in place of those on disk
 */
export function buildHash(overrides?: Readonly<Record<string, string>>): Promise<string>;
