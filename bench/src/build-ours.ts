import type { Client } from "@dagger.io/dagger";
import type { Catalog, Platform, Service } from "@tgo/catalog";
import { buildVariants, prepareBuild } from "@tgo/builders";
import { createContext, type HostOptions } from "@tgo/functions";
import { optionsOf, productOf } from "./context.js";
import type { BuildJob } from "./job.js";
import { pushContainers, type TimedBuild } from "./push.js";
import type { Steps } from "./steps.js";

/**
 * Builds a service as publish does, until its images are in the engine's store: read the catalog, hash the source,
 * resolve bases, build every variant. Excludes the check, smoke run and upload that follow.
 */
export async function buildOurs(
  client: Client,
  job: BuildJob,
  { catalog, platforms }: { readonly catalog: Catalog; readonly platforms: readonly Platform[] },
  steps: Steps,
  host: HostOptions,
): Promise<TimedBuild> {
  const service = catalog.services[job.service];
  if (service === undefined) throw new Error(`no service ${job.service} in the catalog`);
  const started = steps.begin();
  const context = await createContext(client, productOf(job), optionsOf(client, job, platforms), host);
  const source = client.host().directory(job.source);
  const request = await prepareBuild(context, job.service, service, {
    source,
    values: missingValues(service),
  });
  const { variants } = await buildVariants(request);
  return {
    seconds: (performance.now() - started) / 1000,
    push: (registry) => pushContainers(client, variants, registry, job.service),
  };
}

/** Build values without a default. */
function missingValues({ build }: Service): string[] {
  if (build.strategy !== "static-web") return [];
  return Object.entries(build.values)
    .filter(([, value]) => value.default === undefined)
    .map(([name]) => `${name}=bench`);
}
