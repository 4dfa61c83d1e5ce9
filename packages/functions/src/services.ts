import type { OutputFormat } from "@tgo/report";
import type { Call } from "./call.js";
import { loadCatalog } from "./context.js";
import { describeServices } from "./describe-plan.js";

/** Lists the services of the catalog. Needs no engine. */
export async function services({ product, options }: Call, format: OutputFormat): Promise<string> {
  return describeServices(await loadCatalog(product.catalog, options), format);
}
