import type { Platform } from "@tgo/catalog";
import { commandLine, type Flags } from "@tgo/errors";
import type { Prepared } from "../candidate/prepared.js";

/** The command that builds and tests a platform of a candidate; without the flags that only its caller knows. */
export function variantCommand({ request }: Prepared, platform: Platform, more: Flags = {}): string {
  const { name, version } = request;
  return commandLine("build-variant", { service: [name], platform: [platform], version, ...more });
}
