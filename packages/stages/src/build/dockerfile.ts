import type { Platform as DaggerPlatform } from "@dagger.io/dagger";
import type { DockerfileBuild, Platform } from "@tgo/catalog";
import { buildError } from "./build-error.js";
import { configure } from "./configure.js";
import { fill, type BuildRequest, type Built } from "./request.js";

/** A service's own Dockerfile, as it is. The engine would take $BUILDPLATFORM for the target: it is passed. */
export async function buildDockerfile(request: BuildRequest<DockerfileBuild>): Promise<Built> {
  const { context, name, service, source, platforms } = request;
  const { file, target, args } = service.build;
  const variants = await Promise.all(
    platforms.map(async (platform) => {
      const container = source.directory.dockerBuild({
        dockerfile: file,
        platform: platform as string as DaggerPlatform,
        ...(target === undefined ? {} : { target }),
        buildArgs: [
          { name: "BUILDPLATFORM", value: context.native },
          ...Object.entries(args).map(([key, value]) => ({ name: key, value: fill(value, request) })),
        ],
      });
      try {
        return { platform, container: await configure(request, await container.sync()) };
      } catch (error) {
        throw buildError(
          `building ${name} from ${file} for ${platform}`,
          "Run the failing line by hand in the base image; for a foreign platform it runs under emulation.",
          error,
        );
      }
    }),
  );
  const foreign = platforms.filter((platform): platform is Platform => platform !== context.native);
  return {
    variants,
    notes: foreign.map((platform) => `${platform}: built from ${file} under emulation, which is slow`),
  };
}
