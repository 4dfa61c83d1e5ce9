import type { OutputFormat } from "@tgo/report";
import type { Call } from "./call.js";
import { loadCatalog, loadPins } from "./context.js";
import { describePlan } from "./describe-plan.js";

/** Describes what a publish would do. Needs no engine. */
export async function plan(
  { product, options }: Call,
  names: readonly string[],
  format: OutputFormat,
): Promise<string> {
  const [catalog, pins] = await Promise.all([
    loadCatalog(product.catalog, options),
    loadPins(product, options.baseLock),
  ]);
  return describePlan({ catalog, names, platforms: options.platform, format, pins });
}
