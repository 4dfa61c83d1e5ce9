import type { Client } from "@dagger.io/dagger";
import { createContext, type Context } from "./context.js";
import type { HostOptions } from "./host.js";
import type { Options, Product } from "./options.js";

/** What a shell passes to every function. */
export interface Call {
  readonly client: Client;
  readonly product: Product;
  readonly options: Options;
  readonly host: HostOptions;
}

/**
 * Reads and checks the options, and connects to the registries.
 * @throws TgoError CATALOG, USAGE
 */
export function openContext({ client, product, options, host }: Call): Promise<Context> {
  return createContext(client, product, options, host);
}
