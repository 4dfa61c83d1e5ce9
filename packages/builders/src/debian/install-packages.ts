import type { Container, Directory, File, Platform as DaggerPlatform } from "@dagger.io/dagger";
import type { BaseImage, Platform } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { baseImage, withCaBundle, type BuildContext } from "../build-context.js";
import { execFailure } from "../exec-failure.js";
import { LAYER_TIME, type Variant } from "../build-request.js";
import { packagesError } from "./errors.js";
import fetchScript from "./fetch.sh";
import finishScript from "./finish.sh";
import { debianMirror, mirroredSources } from "./sources.js";
import unpackScript from "./unpack.sh";

/** The part of a build that this depends on: any strategy with a Debian base. */
export interface PackagesRequest {
  readonly context: BuildContext;
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
  const [order = [], preinst = [], scripts = []] = await Promise.all(
    ["order", "preinst", "scripts"].map((file) => namesIn(fetched, file)),
  );
  if (order.length === 0) return { container: base, notes: [] };
  const finishing: Finishing = { context, base, native, fetched };
  const prepared = preinst.length === 0 ? base.rootfs() : await finish(finishing, base.rootfs(), "preinst");

  const unpacked = native
    .withMountedDirectory(TARGET, prepared)
    .withMountedDirectory(PACKAGES, fetched, { readOnly: true })
    .withNewFile("/run/tgo/unpack.sh", unpackScript)
    .withExec(["sh", "/run/tgo/unpack.sh", `${LAYER_TIME}`]);
  const unfinished = await namesIn(unpacked.directory("/out"), "unfinished");
  const result = unpacked.directory(TARGET);
  if (unfinished.length === 0) return { container: base.withRootfs(result), notes: [] };
  const container = base.withRootfs(await finish(finishing, result, "configure"));
  const names = [...new Set([...preinst, ...scripts])].sort();
  const isTold = platform !== context.native && names.length > 0;
  return {
    container,
    notes: isTold
      ? [
          `${platform}: installation scripts of ${names.join(", ")} ran, and what they call of it was emulated`,
        ]
      : [],
  };
}

/** A native container with this base's apt, which downloads from the catalog's mirror where there is one. */
async function fetching(context: BuildContext, native: Container, base: Container): Promise<Container> {
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

interface Finishing {
  readonly context: BuildContext;
  readonly base: Container;
  readonly native: Container;
  readonly fetched: Directory;
}

type Step = "preinst" | "configure";

/**
 * The target's file system after its packages' scripts. For a foreign target they are first tried with this
 * machine's shell, Perl and basic tools in place of the target's: most of a script's time goes into starting those,
 * and an emulator makes each start some fifty times slower. Whatever fails so runs again, wholly in the target.
 */
async function finish(finishing: Finishing, tree: Directory, step: Step): Promise<Directory> {
  const { context, base, native, fetched } = finishing;
  const target = base.withRootfs(tree).withUser("root").withWorkdir("/");
  const run = (container: Container, ...options: string[]): Promise<Container> =>
    container
      .withMountedFile("/run/tgo/finish.sh", textFile(context, "finish.sh", finishScript))
      .withMountedDirectory(PACKAGES, fetched, { readOnly: true })
      .withMountedDirectory("/run/tgo/work", context.client.directory())
      .withExec(["sh", "/run/tgo/finish.sh", `${LAYER_TIME}`, step, ...options])
      .sync();
  if (!(await fetched.exists("native/interpreters"))) return (await run(target)).rootfs();
  const { libraries, loader } = RUNTIME[context.native];
  const mixed = (await namesIn(fetched, "native/interpreters")).reduce(
    (container, path) => container.withMountedFile(path, native.file(path)),
    context.client
      .container({ platform: context.native as string as DaggerPlatform })
      .withRootfs(tree)
      .withMountedDirectory(libraries, native.directory(libraries), { readOnly: true })
      .withMountedFile(loader, fetched.file("native/loader")),
  );
  const finished = await run(mixed, "native").catch((error: unknown) => {
    if (execFailure(error) === undefined) throw error;
    return run(target);
  });
  return finished.rootfs();
}

/** Where programs of a platform look for their libraries, on every Debian with merged /usr. */
const RUNTIME: Record<Platform, { readonly libraries: string; readonly loader: string }> = {
  "linux/amd64": { libraries: "/usr/lib/x86_64-linux-gnu", loader: "/lib64/ld-linux-x86-64.so.2" },
  "linux/arm64": { libraries: "/usr/lib/aarch64-linux-gnu", loader: "/lib/ld-linux-aarch64.so.1" },
};

function textFile({ client }: BuildContext, name: string, text: string): File {
  return client.directory().withNewFile(name, text).file(name);
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
