import type { Keychain } from "@tgo/registry";
import type { OnEvent } from "./events.js";
import type { Platform } from "./images/image.js";

/** The settings of a running engine. */
export interface Settings {
  /** The platform that it takes for its own. */
  readonly platform: Platform;
  /** Whether programs of other platforms run, under emulation. */
  readonly emulates: boolean;
  readonly onEvent: OnEvent;
  /** Stops everything that runs. */
  readonly signal: AbortSignal;
  /** A file of the host, mounted into every command. */
  readonly caBundle: string | undefined;
  readonly keychain: Keychain;
  /** Registry mirrors by host: `{"docker.io": "localhost:5000"}`. */
  readonly mirrors: Readonly<Record<string, string>>;
  /** URLs of servers that commands may reach although they are this machine's. */
  readonly reachable: readonly string[];
}
