import type { Client } from "@dagger.io/dagger";
import type { HostOptions } from "@tgo/functions";
import type { Writable } from "node:stream";
import type { ModuleApi } from "./module-api.js";

/** What the command runs: a module's API, the module itself, loaded only to call a function, and Dagger's SDK. */
export interface Product {
  readonly version: string;
  readonly moduleApi: ModuleApi;
  /** The catalog that the module has without a file of the caller's, as data. */
  readonly builtInCatalog: () => Promise<unknown>;
  /** The module's class; it needs neither the SDK nor an engine. */
  readonly load: () => Promise<LoadedModule>;
  /** Loading the SDK takes a good part of a second: only for a function that needs an engine. */
  readonly loadSdk: () => Promise<Sdk>;
}

export interface LoadedModule {
  /**
   * An instance of the module's class, on the caller's machine.
   * @param args constructor arguments, in the order of the module API
   * @param client of the engine, or of this machine where none runs
   */
  readonly create: (args: unknown[], host: HostOptions, client: Client) => ModuleInstance;
}

export interface Sdk {
  /** Opens a session, runs the function in it, closes it. */
  readonly connection: (run: () => Promise<void>, options: { LogOutput?: Writable }) => Promise<void>;
  /** The SDK's global client, usable inside `connection`. */
  readonly client: Client;
  /** Opens a session of its own, beside others, with a client of its own. */
  readonly connect: (
    run: (client: Client) => Promise<void>,
    options: { LogOutput?: Writable },
  ) => Promise<void>;
}

/** Methods take their arguments in the order of the module API. */
export type ModuleInstance = Readonly<Record<string, ((...args: unknown[]) => Promise<unknown>) | undefined>>;
