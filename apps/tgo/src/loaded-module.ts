import type { Client } from "@dagger.io/dagger";
import type { HostOptions } from "@tgo/functions";
import type { Writable } from "node:stream";
import type { ModuleApi } from "./module-api.js";

/** What the command runs: a module's API, and the module itself, loaded only to call a function. */
export interface Product {
  readonly version: string;
  readonly moduleApi: ModuleApi;
  /** Loading the SDK takes most of a second: never for help or a usage error. */
  readonly load: () => Promise<LoadedModule>;
}

export interface LoadedModule {
  /**
   * An instance of the module's class, on the caller's machine.
   * @param args constructor arguments, in the order of the module API
   */
  readonly create: (args: unknown[], host: HostOptions) => ModuleInstance;
  /** The SDK's: opens a session, runs the function in it, closes it. */
  readonly connection: (run: () => Promise<void>, options: { LogOutput?: Writable }) => Promise<void>;
  /** The SDK's global client, usable inside `connection`. */
  readonly client: Client;
}

/** Methods take their arguments in the order of the module API. */
export type ModuleInstance = Readonly<Record<string, ((...args: unknown[]) => Promise<unknown>) | undefined>>;
