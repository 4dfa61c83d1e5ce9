import type { Client, Container } from "@dagger.io/dagger";
import { SIZED_TAG } from "./job.js";

/** A timed build whose image can still be pushed. */
export interface TimedBuild {
  readonly seconds: number;
  /** @param registry `localhost:PORT` */
  readonly push: (registry: string) => Promise<void>;
}

/** Pushes variants as one image to a registry on this machine. */
export async function pushContainers(
  client: Client,
  variants: readonly { readonly container: Container }[],
  registry: string,
  service: string,
): Promise<void> {
  const [first, ...others] = variants.map(({ container }) => container);
  if (first === undefined) throw new Error("nothing was built");
  const port = Number(registry.split(":")[1]);
  await first.publish(`${registry}/${service}:${SIZED_TAG}`, {
    platformVariants: others,
    // An engine in a container has its own localhost: tunnel through this process.
    registryService: client.host().service([{ frontend: port, backend: port }], { host: "localhost" }),
  });
}
