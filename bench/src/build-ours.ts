import type { Client } from "@dagger.io/dagger";
import type { Catalog, Service } from "@tgo/catalog";
import { buildVariants } from "../../packages/stages/src/build/index.js";
import { createContext } from "../../packages/stages/src/context.js";
import { prepare } from "../../packages/stages/src/prepare.js";
import type { Timed } from "./build-dockerfile.js";
import type { BuildJob } from "./job.js";
import { pushContainers } from "./push.js";
import type { Steps } from "./steps.js";

/**
 * Builds a service as a publish does until its images stand in the engine's store: the catalog read, the source
 * hashed, bases resolved, every variant built. Not the checks, the run and the upload that follow.
 */
export async function buildOurs(
  client: Client,
  catalog: Catalog,
  job: BuildJob,
  steps: Steps,
): Promise<Timed> {
  if (job.build.by !== "us") throw new Error("not a build of ours");
  const service = catalog.services[job.service];
  if (service === undefined) throw new Error(`no service ${job.service} in the catalog`);
  const started = steps.begin();
  const context = await createContext(
    client,
    { catalog: job.catalog, pipeline: "bench" },
    {
      platform: job.build.platforms,
      ...(job.caBundle === undefined ? {} : { caBundle: client.host().file(job.caBundle) }),
    },
  );
  const source = client.host().directory(job.source);
  const { request } = await prepare(context, job.service, service, {
    source,
    values: missingValues(service),
  });
  const { variants } = await buildVariants(request);
  return {
    seconds: (performance.now() - started) / 1000,
    push: (registry) =>
      pushContainers(
        client,
        variants.map(({ container }) => container),
        registry,
        job.service,
      ),
  };
}

/** A value for what the definition leaves to its caller. */
function missingValues({ build }: Service): string[] {
  if (build.strategy !== "static-web") return [];
  return Object.entries(build.values)
    .filter(([, value]) => value.default === undefined)
    .map(([name]) => `${name}=bench`);
}
