import type { Client } from "@dagger.io/dagger";
import { Service, type Platform } from "@tgo/catalog";
import { buildVariants, prepareBuild } from "@tgo/builders";
import { createContext, type HostOptions } from "@tgo/functions";
import { parse } from "@tgo/schemas";
import { optionsOf, productOf } from "./context.js";
import type { BuildJob } from "./job.js";
import { pushContainers, type TimedBuild } from "./push.js";
import type { Steps } from "./steps.js";

/** A service defined by its Dockerfile alone. */
function dockerfileService(args: Readonly<Record<string, string>>): Service {
  return parse(Service, {
    title: "its own Dockerfile",
    build: { strategy: "dockerfile", file: "Dockerfile", args },
  });
}

/**
 * Builds a service's own Dockerfile. The time excludes what this product does around it, such as hashing the source.
 */
export async function buildOwnDockerfile(
  client: Client,
  job: BuildJob,
  {
    platforms,
    args,
  }: { readonly platforms: readonly Platform[]; readonly args: Readonly<Record<string, string>> },
  steps: Steps,
  host: HostOptions,
): Promise<TimedBuild> {
  const context = await createContext(client, productOf(job), optionsOf(client, job, platforms), host);
  const source = client.host().directory(job.source);
  const request = await prepareBuild(context, job.service, dockerfileService(args), { source });
  const started = steps.begin();
  const { variants } = await buildVariants(request);
  const ended = performance.now();
  return {
    seconds: (ended - started) / 1000,
    push: (registry) => pushContainers(client, variants, registry, job.service),
  };
}
