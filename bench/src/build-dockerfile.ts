import type { Client, Platform as DaggerPlatform } from "@dagger.io/dagger";
import type { BuildJob } from "./job.js";
import { pushContainers } from "./push.js";
import type { Steps } from "./steps.js";

/** A build that was timed, and is still there. */
export interface Timed {
  readonly seconds: number;
  readonly push: (registry: string) => Promise<void>;
}

/**
 * Builds a service's own Dockerfile, and nothing else: neither hashing nor checks of ours are charged to it. The
 * embedded engine lets buildah build, then takes the image out of buildah's store; that is not charged either.
 */
export async function buildDockerfile(
  client: Client,
  job: BuildJob,
  build: BuildJob["build"] & { by: "dockerfile" },
  steps: Steps,
): Promise<Timed> {
  const platform = build.platform as string as DaggerPlatform;
  if (job.engine === "buildah" && job.push !== undefined) {
    // Layers that the engine has pulled itself are pushed as the registry has them, not compressed again.
    await Promise.all(build.bases.map((base) => client.container({ platform }).from(base).sync()));
  }
  const started = steps.begin();
  const container = await client
    .host()
    .directory(job.source)
    .dockerBuild({ platform, buildArgs: [{ name: "BUILDPLATFORM", value: build.native }] })
    .sync();
  const ended = steps.lastLine ?? performance.now();
  return {
    seconds: (ended - started) / 1000,
    push: (registry) => pushContainers(client, [container], registry, job.service),
  };
}
