import type { Client } from "@dagger.io/dagger";
import type { Credentials } from "@tgo/registry";
import type { Report } from "@tgo/report";
import type { ProgressListener } from "@tgo/progress";
import type { Uncommitted } from "@tgo/builders";
import type { Writable } from "node:stream";
import type { ModuleApi } from "./module-api.js";

/** What this command line is for: a module's surface, and the module itself, loaded only when it is run. */
export interface Product {
  readonly version: string;
  readonly surface: ModuleApi;
  /** Loading the SDK takes most of a second: never for help or for a usage error. */
  readonly load: () => Promise<LoadedModule>;
}

export interface LoadedModule {
  /**
   * An instance of the module's class, on the machine of the user.
   * @param args constructor arguments, in the order of the module's API
   */
  readonly create: (args: unknown[], host: HostSettings) => ModuleInstance;
  /** The SDK's: opens a session, runs the function in it, closes it. */
  readonly connection: (run: () => Promise<void>, options: { LogOutput?: Writable }) => Promise<void>;
  /** The SDK's global client, usable inside `connection`. */
  readonly client: Client;
}

/** Methods take their arguments in the surface's order. */
export type ModuleInstance = Readonly<Record<string, ((...args: unknown[]) => Promise<unknown>) | undefined>>;

export interface HostSettings {
  readonly progress: ProgressListener;
  readonly signal: AbortSignal;
  readonly engine: string | undefined;
  /** This is the user's own machine. */
  readonly local: boolean;
  /** What keeps a commit from being exactly the source. */
  readonly uncommitted: Uncommitted | undefined;
  readonly credentials: ((host: string) => Promise<Credentials | undefined>) | undefined;
  /** The command line that runs the same again. */
  readonly invocation: string;
  /** Given every report before it is rendered; returns what may be shown of it. */
  readonly report: (report: Report) => Report;
  /** How a text report should be written. */
  readonly text: { readonly color: boolean; readonly width: number };
}
