import type { Client } from "@dagger.io/dagger";
import type { Platform } from "@tgo/catalog";
import type { Options, Product } from "@tgo/functions";
import type { BuildJob } from "./job.js";

/** What `tgo` has compiled in. Base images are not pinned: they are what this benchmark's registry has. */
export function productOf({ catalog }: BuildJob): Product {
  return { catalog, pipeline: "bench" };
}

/** What `tgo` is given on its command line. */
export function optionsOf(client: Client, { caBundle }: BuildJob, platform: readonly Platform[]): Options {
  return { platform, ...(caBundle === undefined ? {} : { caBundle: client.host().file(caBundle) }) };
}
