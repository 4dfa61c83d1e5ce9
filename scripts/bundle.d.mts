import type { Plugin } from "esbuild";

export function bundleTools(): Promise<string>;
export const textPlugin: Plugin;
export const sdkPlugin: Plugin;
