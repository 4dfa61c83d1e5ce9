import type { Container } from "@dagger.io/dagger";
import type { Platform, PythonBuild } from "@tgo/catalog";
import type { BuildRequest } from "../build-request.js";
import type { Environments } from "./environment.js";

/** A container with a platform's environment in it, as an activated virtual environment. */
export async function activateEnvironment(
  { service }: BuildRequest<PythonBuild>,
  container: Container,
  environments: Environments,
  platform: Platform,
): Promise<Container> {
  const target = service.build.environment;
  const path = await container.envVariable("PATH");
  return container
    .withDirectory(target, environments.common)
    .withDirectory(target, environments.of(platform))
    .withEnvVariable("PATH", `${target}/bin:${path === "" ? "/usr/local/bin:/usr/bin:/bin" : path}`)
    .withEnvVariable("VIRTUAL_ENV", target);
}
