import type { Container } from "@dagger.io/dagger";
import type { PythonBuild } from "@tgo/catalog";
import { baseImage, trusting } from "../context.js";
import { buildError } from "./build-error.js";
import { LAYER_TIME, type BuildRequest, type Variant } from "./request.js";
import script from "./system-packages.sh";

const REMEDY =
  "Check the package names, and that the Debian archive of the base image's apt sources answers.";

/**
 * The base image of a platform with the service's Debian packages. They are fetched and unpacked by a native
 * process; only packages with maintainer scripts are installed in the image's own (possibly emulated) root.
 */
export async function withSystemPackages(
  request: BuildRequest<PythonBuild>,
  { platform, container: base }: Variant,
): Promise<{ container: Container; notes: string[] }> {
  const { context, service } = request;
  const { packages } = service.build;
  if (packages.length === 0) return { container: base, notes: [] };
  const architecture = platform.split("/")[1] ?? "";
  const native = trusting(context, await baseImage(context, service.build.base, context.native))
    .withMountedCache("/var/cache/tgo-apt", context.client.cacheVolume("tgo-apt-archives"), {})
    .withNewFile("/run/tgo/system-packages.sh", script)
    .withMountedDirectory("/mnt/target", base.rootfs(), { readOnly: true })
    .withEnvVariable("DEBIAN_FRONTEND", "noninteractive")
    .withExec(["sh", "/run/tgo/system-packages.sh", architecture, `${LAYER_TIME}`, ...[...packages].sort()]);
  try {
    const out = native.directory("/out");
    const entries = await out.entries();
    if (entries.includes("scripts")) {
      const names = (await out.file("scripts").contents()).trim().split("\n");
      return await withScripts(request, { platform, container: base }, names);
    }
    const unpacked = base.withDirectory("/", out.directory("root"));
    // One command of the target: the loader's cache, which names every library by machine.
    const cache = unpacked.withExec(["ldconfig", "-X"]).file("/etc/ld.so.cache").withTimestamps(LAYER_TIME);
    return { container: unpacked.withFile("/etc/ld.so.cache", cache), notes: [] };
  } catch (error) {
    throw buildError(`installing ${packages.join(", ")} for ${platform}`, REMEDY, error);
  }
}

async function withScripts(
  request: BuildRequest<PythonBuild>,
  { platform, container }: Variant,
  names: readonly string[],
): Promise<{ container: Container; notes: string[] }> {
  const { context, service } = request;
  const install = ["update", `install --yes --no-install-recommends ${service.build.packages.join(" ")}`]
    .map((line) => `apt-get -qq -o Dir::Log=/tmp ${line}`)
    .join(" && ");
  const installed = await container
    .withMountedCache(
      "/var/lib/apt/lists",
      context.client.cacheVolume(`tgo-apt-lists-${platform.replace("/", "-")}`),
    )
    .withEnvVariable("DEBIAN_FRONTEND", "noninteractive")
    .withExec(["sh", "-c", `${install} && rm -rf /var/cache/apt/*.bin /var/cache/ldconfig/aux-cache /tmp/*`])
    .withoutEnvVariable("DEBIAN_FRONTEND")
    .withoutMount("/var/lib/apt/lists")
    .sync();
  const how = platform === context.native ? "natively" : "under emulation";
  return {
    container: installed,
    notes: [
      `${platform}: system packages installed ${how}, because ${names.join(", ")} bring maintainer scripts`,
    ],
  };
}
