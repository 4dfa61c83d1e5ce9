import type { Client } from "@dagger.io/dagger";
import { Service, type Platform } from "@tgo/catalog";
import { buildVariants, prepareBuild } from "@tgo/builders";
import { createContext, type HostOptions } from "@tgo/functions";
import { optionsOf, productOf } from "./context.js";
import type { BuildJob } from "./job.js";
import { pushContainers, type Timed } from "./push.js";
import type { Steps } from "./steps.js";

/** A service whose image is what its Dockerfile says, and nothing more. */
function ownDockerfile(args: Readonly<Record<string, string>>): Service {
  return Service.parse({
    title: "its own Dockerfile",
    build: { strategy: "dockerfile", file: "Dockerfile", args },
  });
}

/**
 * Builds a service's own Dockerfile. What this product does around it, reading and hashing the source, is not charged
 * to it. On the embedded engine it is done when buildah has committed the image: that the image is then taken out of
 * buildah's store is not charged either.
 */
export async function buildOwnDockerfile(
  client: Client,
  job: BuildJob,
  { platform, args }: { readonly platform: Platform; readonly args: Readonly<Record<string, string>> },
  steps: Steps,
  host: HostOptions,
): Promise<Timed> {
  const context = await createContext(client, productOf(job), optionsOf(client, job, [platform]), host);
  const source = client.host().directory(job.source);
  const request = await prepareBuild(context, job.service, ownDockerfile(args), { source });
  const started = steps.begin();
  const { variants } = await buildVariants(request);
  const ended = steps.lastLine ?? performance.now();
  return {
    seconds: (ended - started) / 1000,
    push: (registry) => pushContainers(client, variants, registry, job.service),
  };
}
