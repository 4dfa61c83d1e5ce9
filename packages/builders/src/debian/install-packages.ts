import type { Container, Directory } from "@dagger.io/dagger";
import type { BaseImage, Platform } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { baseImage, type BuildContext } from "../build-context.js";
import { execFailure } from "../exec-failure.js";
import type { Variant } from "../build-request.js";
import { downloadPackages, firstWords } from "./download-packages.js";
import { installFailure } from "./install-failure.js";
import { runMaintainerScripts, type ScriptTarget } from "./run-maintainer-scripts.js";
import { unpackPackages } from "./unpack-packages.js";

/** The part of a build request that is needed here; any strategy with a Debian base has it. */
export interface PackagesRequest {
  readonly context: BuildContext;
  /** The only platform whose packages are configured; the others are unpacked for what they share with it. */
  readonly only?: Platform;
  readonly service: {
    readonly build: { readonly base: BaseImage; readonly packages: readonly string[] };
  };
}

/** A container with its packages, and notes for the report. */
export interface Installed {
  readonly container: Container;
  readonly notes: readonly string[];
}

/**
 * Installs Debian packages into a platform's base image, with the result of `apt-get install --no-install-recommends`.
 * Native processes resolve, download and unpack the packages for any platform; only their maintainer scripts and triggers
 * run in the target (under emulation if it is foreign). The result depends on the base, the list and the archive.
 * @throws TgoError SOURCE, UNAVAILABLE, BUILD, ENVIRONMENT: see {@link installFailure}
 */
export async function withSystemPackages(request: PackagesRequest, variant: Variant): Promise<Installed> {
  const [installed] = await withSystemPackagesOfAll(request, [variant]);
  if (installed === undefined) throw new Error("nothing was installed");
  return installed;
}

/**
 * Installs the same packages for several platforms: the larger files of architecture-independent packages are in a layer
 * that the images share.
 * @returns in the order of the variants
 */
export async function withSystemPackagesOfAll(
  request: PackagesRequest,
  variants: readonly Variant[],
): Promise<Installed[]> {
  const { context, service } = request;
  const packages = [...new Set(service.build.packages)].sort();
  if (packages.length === 0) return variants.map(({ container }) => ({ container, notes: [] }));
  const run = async <T>(platform: Platform, step: () => Promise<T>): Promise<T> => {
    try {
      return await step();
    } catch (error) {
      throw installFailure(error, { packages, platform, mirrors: context.catalog.mirrors });
    }
  };
  const prepared = await Promise.all(
    variants.map(async ({ platform, container }) => {
      await requireApt(container, service.build.base);
      return run(platform, () => prepare(request, { platform, container }, packages));
    }),
  );
  const targets = prepared.filter((each) => each !== undefined);
  const unpacked = await unpackTogether(targets, run);
  return Promise.all(
    variants.map(async ({ platform, container }, index) => {
      const installation = prepared[index];
      if (!isInstalled(request, platform)) return { container, notes: [] };
      const tree = installation === undefined ? undefined : unpacked.get(installation);
      if (installation === undefined || tree === undefined) return { container, notes: [] };
      return run(platform, () => configure(installation, tree));
    }),
  );
}

function isInstalled({ only }: PackagesRequest, platform: Platform): boolean {
  return only === undefined || platform === only;
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

/** An installation whose packages are downloaded, and whose preinst scripts have run. */
interface Installation extends ScriptTarget {
  readonly platform: Platform;
  /** The root to unpack into. */
  readonly root: Directory;
  /** Packages with scripts. */
  readonly scripts: readonly string[];
}

/** @returns undefined if the base has all packages */
async function prepare(
  request: PackagesRequest,
  { platform, container: base }: Variant,
  packages: readonly string[],
): Promise<Installation | undefined> {
  const { context, service } = request;
  const native = await baseImage(context, service.build.base, context.native);
  const [architecture, other] = architectures(platform);
  const downloaded = await downloadPackages(context, { native, base }, [architecture, other, ...packages]);
  const [order = [], preinst = [], postinst = []] = await Promise.all(
    ["order", "preinst", "scripts"].map((file) => firstWords(downloaded, file)),
  );
  if (order.length === 0) return undefined;
  const scripts = [...new Set([...preinst, ...postinst])].sort();
  const installation = { context, platform, base, native, downloaded, root: base.rootfs(), scripts };
  if (preinst.length === 0 || !isInstalled(request, platform)) return installation;
  return { ...installation, root: await runMaintainerScripts(installation, installation.root, "preinst") };
}

/** A root with unpacked packages, and those that are not configured yet. */
interface Unpacked {
  readonly tree: Directory;
  readonly unfinished: readonly string[];
}

/** Unpacks in one step; if that fails, for each platform alone, which reports whose packages cannot be unpacked. */
async function unpackTogether(
  installations: readonly Installation[],
  run: <T>(platform: Platform, step: () => Promise<T>) => Promise<T>,
): Promise<Map<Installation, Unpacked>> {
  const [first] = installations;
  if (first === undefined) return new Map();
  const together = async (some: readonly Installation[]): Promise<[Installation, Unpacked][]> => {
    const targets = some.map(({ platform, root, downloaded }) => {
      const [architecture] = architectures(platform);
      return { architecture, root, packages: downloaded };
    });
    const results = unpackPackages(first.native, targets);
    return Promise.all(
      some.map(async (installation, index): Promise<[Installation, Unpacked]> => {
        const result = results[index];
        if (result === undefined) throw new Error("a platform was not unpacked");
        return [installation, { tree: result.tree, unfinished: await firstWords(result.out, "unfinished") }];
      }),
    );
  };
  const alone = async (): Promise<[Installation, Unpacked][]> => {
    const each = installations.map((installation) =>
      run(installation.platform, () => together([installation])),
    );
    return (await Promise.all(each)).flat();
  };
  if (installations.length === 1) return new Map(await alone());
  return new Map(
    await together(installations).catch((error: unknown) => {
      if (execFailure(error) === undefined) throw error;
      return alone();
    }),
  );
}

async function configure(installation: Installation, { tree, unfinished }: Unpacked): Promise<Installed> {
  const { context, platform, base, scripts } = installation;
  if (unfinished.length === 0) return { container: base.withRootfs(tree), notes: [] };
  const container = base.withRootfs(await runMaintainerScripts(installation, tree, "configure"));
  const note = `${platform}: maintainer scripts of ${scripts.join(", ")} ran, and the programs of this platform that they call were emulated`;
  return { container, notes: platform !== context.native && scripts.length > 0 ? [note] : [] };
}

/** Debian's name for a platform's architecture, then the other architecture, for messages. */
function architectures(platform: string): [string, string] {
  return platform === "linux/arm64" ? ["arm64", "amd64"] : ["amd64", "arm64"];
}
