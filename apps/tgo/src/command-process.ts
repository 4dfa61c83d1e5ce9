import type { EventEmitter } from "node:events";
import type { Writable } from "node:stream";

/** The parts of the process that the command uses; injected, so tests can replace them. */
export interface CommandProcess {
  /** The name it was started by, for commands to repeat: "tgo" or "tgo-pipelines". */
  readonly name: CommandName;
  /** Without the node executable and the script. */
  readonly argv: readonly string[];
  /** The process's own environment, which is changed: the SDK reads the session's address from it. */
  readonly env: Record<string, string | undefined>;
  readonly cwd: string;
  readonly home: string;
  /** For questions; absent where nobody can answer. */
  readonly stdin?: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  /** Whether nobody can read stdout, because it was closed when the process started. */
  readonly isStdoutClosed?: boolean;
  /** Emits SIGINT, SIGTERM, "unhandledRejection", "uncaughtException" and "exit". */
  readonly events: Pick<EventEmitter, "on" | "off">;
  /** Ends the process at once. */
  readonly exit: (code: number) => void;
}

/** A stream that may be a terminal. */
export type Terminal = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

export type CommandName = "tgo" | "tgo-pipelines";

/** Both names start this program: TGO's own tgo-cli installs a `tgo` too. */
export function commandName(script: string | undefined): CommandName {
  return /(?:^|[\\/])tgo-pipelines(?:\.(?:cmd|ps1))?$/.test(script ?? "") ? "tgo-pipelines" : "tgo";
}

/** What the command returns to the shell. */
export const EXIT = { ok: 0, failure: 1, usage: 2, SIGINT: 130, SIGTERM: 143 } as const;
