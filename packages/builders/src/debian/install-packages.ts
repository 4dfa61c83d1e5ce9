import type { Container, Directory, File, Platform as DaggerPlatform } from "@dagger.io/dagger";
import type { BaseImage, Platform } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { baseImage, withCaBundle, type BuildContext } from "../build-context.js";
import { execFailure } from "../exec-failure.js";
import { LAYER_TIME, type Variant } from "../build-request.js";
import { debianMirror, mirroredSources } from "./apt-mirror.js";
import downloadScript from "./download-packages.sh";
import { installFailure } from "./install-failure.js";
import maintainerScript from "./run-maintainer-scripts.sh";
import unpackScript from "./unpack-packages.sh";

/** The part of a build request that is needed here; any strategy with a Debian base has it. */
export interface PackagesRequest {
  readonly context: BuildContext;
  readonly service: {
    readonly build: { readonly base: BaseImage; readonly packages: readonly string[] };
  };
}

const TARGET = "/mnt/target";
const PACKAGES = "/run/tgo/packages";
const SCRIPT = "/run/tgo/run-maintainer-scripts.sh";

/**
 * Installs Debian packages into a platform's base image, with the result of `apt-get install --no-install-recommends`.
 * Native processes resolve, download and unpack the packages for any platform; only their maintainer scripts and triggers
 * run in the target (under emulation if it is foreign). The result depends on the base, the list and the archive.
 * @throws TgoError SOURCE, UNAVAILABLE, BUILD, ENVIRONMENT: see {@link installFailure}
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
    throw installFailure(error, { packages, platform, mirrors: context.catalog.mirrors });
  }
}

async function requireApt(base: Container, reference: BaseImage): Promise<void> {
  if (await base.exists("/usr/bin/apt-get")) return;
  const alpine = await base.exists("/etc/alpine-release");
  throw new TgoError("SOURCE", `the base image has no apt${alpine ? ": it is Alpine" : ""}`, {
    where: reference,
    remedy:
      "build.packages lists Debian packages: choose a Debian-based image (its tag often ends with -slim or " +
      "-bookworm), or leave build.packages empty.",
  });
}

async function install(
  { context, service }: PackagesRequest,
  { platform, container: base }: Variant,
  packages: readonly string[],
): Promise<{ container: Container; notes: string[] }> {
  const native = await baseImage(context, service.build.base, context.native);
  const downloaded = (await downloadContainer(context, native, base))
    .withMountedDirectory(TARGET, base.rootfs(), { readOnly: true })
    .withNewFile("/run/tgo/download-packages.sh", downloadScript)
    .withExec(["sh", "/run/tgo/download-packages.sh", ...architectures(platform), ...packages])
    .directory("/out");
  const [order = [], preinst = [], scripts = []] = await Promise.all(
    ["order", "preinst", "scripts"].map((file) => firstWords(downloaded, file)),
  );
  if (order.length === 0) return { container: base, notes: [] };
  const installation: Installation = { context, base, native, downloaded };
  const prepared =
    preinst.length === 0 ? base.rootfs() : await runScripts(installation, base.rootfs(), "preinst");

  const unpacked = native
    .withMountedDirectory(TARGET, prepared)
    .withMountedDirectory(PACKAGES, downloaded, { readOnly: true })
    .withNewFile("/run/tgo/unpack-packages.sh", unpackScript)
    .withExec(["sh", "/run/tgo/unpack-packages.sh", `${LAYER_TIME}`]);
  const unfinished = await firstWords(unpacked.directory("/out"), "unfinished");
  const result = unpacked.directory(TARGET);
  if (unfinished.length === 0) return { container: base.withRootfs(result), notes: [] };
  const container = base.withRootfs(await runScripts(installation, result, "configure"));
  const names = [...new Set([...preinst, ...scripts])].sort();
  const ranEmulated = platform !== context.native && names.length > 0;
  return {
    container,
    notes: ranEmulated
      ? [
          `${platform}: maintainer scripts of ${names.join(", ")} ran, and the programs of this platform that they call were emulated`,
        ]
      : [],
  };
}

/** A native container with the base's apt, which downloads from the catalog's mirror if one is set. */
async function downloadContainer(
  context: BuildContext,
  native: Container,
  base: Container,
): Promise<Container> {
  const container = withCaBundle(context, native).withMountedCache(
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

interface Installation {
  readonly context: BuildContext;
  readonly base: Container;
  readonly native: Container;
  /** The output of download-packages.sh. */
  readonly downloaded: Directory;
}

type Step = "preinst" | "configure";

/**
 * Runs maintainer scripts in the target's file system. For a foreign target, they first run with the native shell, Perl
 * and basic tools in place of the target's: scripts spend most of their time starting those, and each start is some
 * fifty times slower under emulation. If that fails, they run again with the target's own programs only.
 */
async function runScripts(installation: Installation, tree: Directory, step: Step): Promise<Directory> {
  const { context, base, native, downloaded } = installation;
  const target = base.withRootfs(tree).withUser("root").withWorkdir("/");
  const run = (container: Container, ...options: string[]): Promise<Container> =>
    container
      .withMountedFile(SCRIPT, textFile(context, "run-maintainer-scripts.sh", maintainerScript))
      .withMountedDirectory(PACKAGES, downloaded, { readOnly: true })
      .withMountedDirectory("/run/tgo/work", context.client.directory())
      .withExec(["sh", SCRIPT, `${LAYER_TIME}`, step, ...options])
      .sync();
  if (!(await downloaded.exists("native/interpreters"))) return (await run(target)).rootfs();
  const { libraries, loader } = RUNTIME[context.native];
  const mixed = (await firstWords(downloaded, "native/interpreters")).reduce(
    (container, path) => container.withMountedFile(path, native.file(path)),
    context.client
      .container({ platform: context.native as string as DaggerPlatform })
      .withRootfs(tree)
      .withMountedDirectory(libraries, native.directory(libraries), { readOnly: true })
      .withMountedFile(loader, downloaded.file("native/loader")),
  );
  const finished = await run(mixed, "native").catch((error: unknown) => {
    if (execFailure(error) === undefined) throw error;
    return run(target);
  });
  return finished.rootfs();
}

/** Where a platform's programs find their libraries, on every Debian with a merged /usr. */
const RUNTIME: Record<Platform, { readonly libraries: string; readonly loader: string }> = {
  "linux/amd64": { libraries: "/usr/lib/x86_64-linux-gnu", loader: "/lib64/ld-linux-x86-64.so.2" },
  "linux/arm64": { libraries: "/usr/lib/aarch64-linux-gnu", loader: "/lib/ld-linux-aarch64.so.1" },
};

function textFile({ client }: BuildContext, name: string, text: string): File {
  return client.directory().withNewFile(name, text).file(name);
}

/** Debian's name for a platform's architecture, then the other architecture, for messages. */
function architectures(platform: string): [string, string] {
  return platform === "linux/arm64" ? ["arm64", "amd64"] : ["amd64", "arm64"];
}

/** The first word of every line. */
async function firstWords(directory: Directory, file: string): Promise<string[]> {
  const text = await directory.file(file).contents();
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(" ")[0] ?? "");
}
