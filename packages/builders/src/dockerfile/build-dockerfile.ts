import type { Directory, Platform as DaggerPlatform } from "@dagger.io/dagger";
import type { DockerfileBuild, Platform } from "@tgo/catalog";
import { buildError } from "../build-error.js";
import { builtPlatforms, type BuildRequest, type Built } from "../build-request.js";
import { emulatorCrashed, nativeRemedy } from "../emulation.js";
import { execFailure } from "../exec-failure.js";
import { configureImage } from "../image-config/configure-image.js";
import { buildSecrets } from "./build-secrets.js";
import { pinImages } from "./pin-from.js";
import { withoutProxyPasswords, withProxySecrets } from "./proxy-arguments.js";
import {
  buildPlatformArguments,
  planDockerfile,
  readDockerfile,
  type DockerfilePlan,
} from "./plan-dockerfile.js";

/** Builds a service from its own Dockerfile, unchanged except that images are pinned to digests and use the mirrors. */
export async function buildDockerfile(request: BuildRequest<DockerfileBuild>): Promise<Built> {
  const { context, name, service, source, values } = request;
  const { file, target } = service.build;
  // Errors of a build name the file.
  const copy = `${FOLDER}/${file.slice(file.lastIndexOf("/") + 1)}`;
  const [text, secrets] = await Promise.all([
    readDockerfile(name, service.build, source.directory),
    buildSecrets(context, name, service.build),
  ]);
  const plans = builtPlatforms(request).map((platform) =>
    planDockerfile({ name, build: service.build, native: context.native }, text, platform, values),
  );
  const notes = plans.flatMap((plan) => emulationNote(plan, file));
  for (const { platform, note } of notes)
    context.progress.note({ step: "build", service: name, platform }, note);
  const variants = await Promise.all(
    plans.map(async (plan) => {
      const { platform } = plan;
      const pinned = withoutProxyPasswords(await pinImages(context, text, plan), values);
      const proxied =
        context.host.relaysProxies === true
          ? { text: pinned, secrets: [] }
          : withProxySecrets(pinned, values);
      const proxies = proxied.secrets.map(({ id, value }) => context.client.setSecret(id, value));
      const container = withDockerfile(request, copy, proxied.text).dockerBuild({
        dockerfile: copy,
        platform: platform as string as DaggerPlatform,
        ...(target === undefined ? {} : { target }),
        // A copy for each call, because the SDK modifies it.
        secrets: [...secrets, ...proxies],
        buildArgs: Object.entries({ ...buildPlatformArguments(context.native), ...values }).map(
          ([key, value]) => ({ name: key, value }),
        ),
      });
      try {
        return { platform, container: await configureImage(request, await container.sync()) };
      } catch (error) {
        throw buildError(`building ${name} from ${file} for ${platform}`, remedyOf(plan, error), error);
      }
    }),
  );
  return { variants, notes: notes.map(({ platform, note }) => `${platform}: ${note}`) };
}

function remedyOf({ platform, emulated }: DockerfilePlan, error: unknown): string {
  const failure = execFailure(error);
  if (emulated === 0) return "Run the failing line by hand in the base image.";
  if (failure !== undefined && emulatorCrashed(failure))
    return `The line ran under emulation of ${platform}, which crashed. ${nativeRemedy(platform)}`;
  return "Run the failing line by hand in the base image; for this platform it ran under emulation.";
}

function emulationNote(
  { platform, emulated }: DockerfilePlan,
  file: string,
): { platform: Platform; note: string }[] {
  if (emulated === 0) return [];
  const lines = emulated === 1 ? `1 RUN line of ${file} runs` : `${emulated} RUN lines of ${file} run`;
  return [{ platform, note: `${lines} under emulation, which is slow` }];
}

/** A folder that no COPY sees, so that images contain only the service's own Dockerfile, if any. */
const FOLDER = ".tgo-dockerfile";

/** @see https://docs.docker.com/build/concepts/context/#filename-and-location */
function withDockerfile({ source }: Pick<BuildRequest, "source">, path: string, text: string): Directory {
  const ignored = [FOLDER, ...source.hidden].map((hidden) => `${hidden}\n`).join("");
  return source.directory.withNewFile(path, text).withNewFile(`${path}.dockerignore`, ignored);
}
