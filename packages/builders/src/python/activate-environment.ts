import type { Container } from "@dagger.io/dagger";
import type { Platform, PythonBuild } from "@tgo/catalog";
import type { BuildRequest } from "../build-request.js";
import type { Environments } from "./install-environment.js";

/** Adds a platform's virtual environment to a container, activated. */
export async function activateEnvironment(
  { service }: BuildRequest<PythonBuild>,
  container: Container,
  environments: Environments,
  platform: Platform,
): Promise<Container> {
  const folder = service.build.environment;
  const path = await container.envVariable("PATH");
  return container
    .withDirectory(folder, environments.common)
    .withDirectory(folder, environments.of(platform))
    .withEnvVariable("PATH", `${folder}/bin:${path === "" ? "/usr/local/bin:/usr/bin:/bin" : path}`)
    .withEnvVariable("VIRTUAL_ENV", folder);
}
