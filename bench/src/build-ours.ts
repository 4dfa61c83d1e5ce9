import type { Client } from "@dagger.io/dagger";
import type { Catalog, Platform, Service } from "@tgo/catalog";
import { buildVariants, prepareBuild } from "@tgo/builders";
import { createContext, type HostOptions } from "@tgo/functions";
import { optionsOf, productOf } from "./context.js";
import type { BuildJob } from "./job.js";
import { pushContainers, type Timed } from "./push.js";
import type { Steps } from "./steps.js";

/**
 * Builds a service as a publish does until its images stand in the engine's store: the catalog read, the source
 * hashed, bases resolved, every variant built. Not the checks, the run and the upload that follow.
 */
export async function buildOurs(
  client: Client,
  job: BuildJob,
  { catalog, platforms }: { readonly catalog: Catalog; readonly platforms: readonly Platform[] },
  steps: Steps,
  host: HostOptions,
): Promise<Timed> {
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

/** A value for what the definition leaves to its caller. */
function missingValues({ build }: Service): string[] {
  if (build.strategy !== "static-web") return [];
  return Object.entries(build.values)
    .filter(([, value]) => value.default === undefined)
    .map(([name]) => `${name}=bench`);
}
