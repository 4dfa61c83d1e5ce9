import type { Client } from "@dagger.io/dagger";
import type { Platform } from "@tgo/catalog";
import type { Options, Product } from "@tgo/functions";
import type { BuildJob } from "./job.js";

/** What `tgo` has built in. Base images are not pinned: the benchmark's registry decides. */
export function productOf({ catalog }: BuildJob): Product {
  return { catalog, pipeline: "bench", buildHash: "bench" };
}

/** What `tgo` takes from its command line. */
export function optionsOf(client: Client, { caBundle }: BuildJob, platform: readonly Platform[]): Options {
  return { platform, ...(caBundle === undefined ? {} : { caBundle: client.host().file(caBundle) }) };
}
