import { Platform } from "@tgo/catalog";
import type { ContentChecks } from "@tgo/image";
import { promisedMachines } from "@tgo/proof";
import type { Call } from "./call.js";
import { loadCatalog } from "./context.js";

export type Machines = NonNullable<ContentChecks["machines"]>;

/** The catalog's promised machines, of all platforms that it knows. @throws TgoError CATALOG */
export async function machinesByPlatform({ product, options }: Call): Promise<Machines> {
  const { machines } = await loadCatalog(product.catalog, options);
  return Object.fromEntries(
    Platform.options.map((platform) => [platform, promisedMachines(platform, machines[platform])]),
  );
}
