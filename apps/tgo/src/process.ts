import type { EventEmitter } from "node:events";
import type { Writable } from "node:stream";

/** The parts of the process that the command line touches; injected, so that tests can be one. */
export interface CliProcess {
  /** Without the node executable and the script. */
  readonly argv: readonly string[];
  /** The process's own, and changed: the SDK reads the address of its session from there. */
  readonly env: Record<string, string | undefined>;
  readonly cwd: string;
  readonly home: string;
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  /** Emits SIGINT, SIGTERM, and what nobody has caught: "unhandledRejection", "uncaughtException". */
  readonly events: Pick<EventEmitter, "on" | "off">;
  /** Ends the process at once. */
  readonly exit: (code: number) => void;
}

/** A stream that may be a terminal. */
export type Terminal = Writable & {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
};

/** What the command returns to the shell. */
export const EXIT = { ok: 0, failure: 1, usage: 2, SIGINT: 130, SIGTERM: 143 } as const;
