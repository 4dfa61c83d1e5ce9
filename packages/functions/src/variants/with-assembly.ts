import { selectPlatforms } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import type { VariantProof } from "@tgo/proof";
import { type Assembling, createAssembly } from "@tgo/publishing";
import { defined } from "@tgo/report";
import { waitTime, type AssembleFlags } from "../assemble-flags.js";
import type { Context } from "../context.js";

/**
 * The context of a function that takes images which other machines built.
 * @throws TgoError USAGE for flags that cannot be combined
 */
export function withAssembly(context: Context, flags: AssembleFlags): Context & Assembling {
  const waitMs = waitTime(flags);
  const all = selectPlatforms(context.catalog, undefined);
  if (context.platforms.length !== all.length)
    throw new TgoError("USAGE", "--assemble takes all platforms of the catalog", {
      remedy: `Leave --platform out. The catalog has ${all.join(" and ")}.`,
    });
  const { requireNative = false } = flags;
  // What onProof was given, by this process.
  const { proven, failures } = context.host.otherEngines ?? {};
  const known = proven as ReadonlyMap<string, VariantProof> | undefined;
  const options = { waitMs, requireNative, pipelines: context.pipeline, ...defined({ known, failures }) };
  return { ...context, assembly: createAssembly(options) };
}
