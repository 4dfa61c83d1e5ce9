import type { Container, Directory } from "@dagger.io/dagger";
import type { BaseImage } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { baseImage, trusting, type Context } from "../context.js";
import { LAYER_TIME, type Variant } from "./request.js";
import { packagesError } from "./system-packages/errors.js";
import fetchScript from "./system-packages/fetch.sh";
import finishScript from "./system-packages/finish.sh";
import { debianMirror, mirroredSources } from "./system-packages/sources.js";
import unpackScript from "./system-packages/unpack.sh";

/** The part of a build that this depends on: any strategy with a Debian base. */
export interface PackagesRequest {
  readonly context: Context;
  readonly service: {
    readonly build: { readonly base: BaseImage; readonly packages: readonly string[] };
  };
}

const TARGET = "/mnt/target";
const PACKAGES = "/run/tgo/packages";

/**
 * The base image of a platform with Debian packages, as `apt-get install --no-install-recommends` would leave it.
 * Native processes plan, download and unpack for any platform; only the packages' own scripts and triggers run in the
 * target (emulated where that is foreign). The result depends on the base, the list and what the archive has.
 * @throws TgoError SOURCE, UNAVAILABLE, BUILD, ENVIRONMENT: see packagesError
 */
export async function withSystemPackages(
  request: PackagesRequest,
  { platform, container: base }: Variant,
): Promise<{ container: Container; notes: string[] }> {
  const { context, service } = request;
  const packages = [...new Set(service.build.packages)].sort();
  if (packages.length === 0) return { container: base, notes: [] };
  await requireApt(base, service.build.base);
  try {
    return await install(request, { platform, container: base }, packages);
  } catch (error) {
    throw packagesError(error, { packages, platform, mirrors: context.catalog.mirrors });
  }
}

async function requireApt(base: Container, reference: BaseImage): Promise<void> {
  if (await base.exists("/usr/bin/apt-get")) return;
  const alpine = await base.exists("/etc/alpine-release");
  throw new TgoError("SOURCE", `the base image has no apt${alpine ? ": it is Alpine" : ""}`, {
    where: reference,
    remedy:
      "build.packages are Debian packages: choose a base made from Debian (its tag often ends with -slim or " +
      "-bookworm), or leave build.packages empty.",
  });
}

async function install(
  { context, service }: PackagesRequest,
  { platform, container: base }: Variant,
  packages: readonly string[],
): Promise<{ container: Container; notes: string[] }> {
  const native = await baseImage(context, service.build.base, context.native);
  const fetched = (await fetching(context, native, base))
    .withMountedDirectory(TARGET, base.rootfs(), { readOnly: true })
    .withNewFile("/run/tgo/fetch.sh", fetchScript)
    .withExec(["sh", "/run/tgo/fetch.sh", ...architectures(platform), ...packages])
    .directory("/out");
  const [preinst, scripts] = await Promise.all([namesIn(fetched, "preinst"), namesIn(fetched, "scripts")]);
  const prepared = preinst.length === 0 ? base : finishing(context, base, fetched, "preinst");

  const unpacked = native
    .withMountedDirectory(TARGET, prepared.rootfs())
    .withMountedDirectory(PACKAGES, fetched, { readOnly: true })
    .withNewFile("/run/tgo/unpack.sh", unpackScript)
    .withExec(["sh", "/run/tgo/unpack.sh", `${LAYER_TIME}`]);
  const result = base.withRootfs(unpacked.directory(TARGET));
  const unfinished = await namesIn(unpacked.directory("/out"), "unfinished");
  if (unfinished.length === 0) return { container: result, notes: [] };
  const finished = finishing(context, result, fetched, "configure");
  const container = await base.withRootfs(finished.rootfs()).sync();
  const names = [...new Set([...preinst, ...scripts])];
  return {
    container,
    notes:
      platform === context.native || names.length === 0
        ? []
        : [`${platform}: the installation scripts of ${names.sort().join(", ")} ran under emulation`],
  };
}

/** A native container with this base's apt, which downloads from the catalog's mirror where there is one. */
async function fetching(context: Context, native: Container, base: Container): Promise<Container> {
  const container = trusting(context, native).withMountedCache(
    "/var/cache/tgo",
    context.client.cacheVolume("tgo-apt"),
  );
  const mirror = debianMirror(context.catalog.mirrors);
  if (mirror === undefined) return container;
  let etc: Directory = base.directory("/etc/apt");
  for (const path of [...(await etc.glob("sources.list")), ...(await etc.glob("sources.list.d/*"))]) {
    etc = etc.withNewFile(path, mirroredSources(path, await etc.file(path).contents(), mirror));
  }
  return container.withMountedDirectory("/run/tgo/apt", etc, { readOnly: true });
}

/** The target after a step of its packages' scripts. */
function finishing(
  context: Context,
  target: Container,
  fetched: Directory,
  step: "preinst" | "configure",
): Container {
  const script = context.client.directory().withNewFile("finish.sh", finishScript).file("finish.sh");
  return target
    .withUser("root")
    .withWorkdir("/")
    .withMountedFile("/run/tgo/finish.sh", script)
    .withMountedDirectory(PACKAGES, fetched, { readOnly: true })
    .withMountedDirectory("/run/tgo/work", context.client.directory())
    .withExec(["sh", "/run/tgo/finish.sh", `${LAYER_TIME}`, step]);
}

/** Debian's name of a platform's architecture, then that of the other one, for messages. */
function architectures(platform: string): [string, string] {
  return platform === "linux/arm64" ? ["arm64", "amd64"] : ["amd64", "arm64"];
}

/** The first word of every line. */
async function namesIn(directory: Directory, file: string): Promise<string[]> {
  const text = await directory.file(file).contents();
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(" ")[0] ?? "");
}
