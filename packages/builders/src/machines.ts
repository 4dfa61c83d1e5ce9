import type { Platform } from "@tgo/catalog";

/** A platform's machine as `uname -m`, Python and wheel tags name it. */
export const MACHINES: Readonly<Record<Platform, string>> = {
  "linux/amd64": "x86_64",
  "linux/arm64": "aarch64",
};
