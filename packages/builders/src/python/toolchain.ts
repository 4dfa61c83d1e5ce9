import type { Container, Directory } from "@dagger.io/dagger";
import type { Platform, PythonBuild } from "@tgo/catalog";
import { isTgoError, TgoError } from "@tgo/errors";
import { baseImage } from "../build-context.js";
import type { BuildRequest } from "../build-request.js";
import { withSystemPackages } from "../debian/install-packages.js";

/** Debian's names for a platform. */
const DEBIAN: Record<Platform, { architecture: string; triplet: string }> = {
  "linux/amd64": { architecture: "amd64", triplet: "x86_64-linux-gnu" },
  "linux/arm64": { architecture: "arm64", triplet: "aarch64-linux-gnu" },
};

/** The compilers and libraries that build for a target platform on a host platform. */
export interface Toolchain {
  readonly host: Platform;
  readonly target: Platform;
  /** The prefix of compiler names, such as `aarch64-linux-gnu-`; empty for a native build. */
  readonly prefix: string;
  /** Debian packages to install on the host. */
  readonly compilers: readonly string[];
  /** Whether something is compiled for the host itself, which requires Python's headers there. */
  readonly hostHeaders: boolean;
  /** Debian packages of the target with headers and libraries, besides the C library. */
  readonly libraries: readonly string[];
}

/** The toolchain that compiles these languages on one platform for another. */
export function toolchain(
  host: Platform,
  target: Platform,
  languages: readonly string[],
  libraries: readonly string[],
): Toolchain {
  const { architecture, triplet } = DEBIAN[target];
  const names = ["gcc", ...(languages.includes("c++") ? ["g++"] : [])];
  if (host === target) {
    const compilers = [...names, "libc6-dev", ...libraries];
    return { host, target, prefix: "", compilers, hostHeaders: true, libraries };
  }
  // Package names have a dash instead of the underscore in x86_64.
  const compilers = names.map((name) => `${name}-${triplet.replace("_", "-")}`);
  // Build scripts run the host's pg_config and the like, so the host needs the libraries too.
  const more = [`libc6-dev-${architecture}-cross`, ...libraries];
  return {
    ...{ host, target, prefix: `${triplet}-`, libraries },
    ...{ compilers: [...compilers, ...more], hostHeaders: false },
  };
}

/** Gives all toolchains of one host the same compilers, so that they share one container. */
export function combineToolchains(chains: readonly Toolchain[]): Toolchain[] {
  const compilers = [...new Set(chains.flatMap((chain) => chain.compilers))];
  const hostHeaders = chains.some((chain) => chain.hostHeaders);
  return chains.map((chain) => ({ ...chain, compilers, hostHeaders }));
}

const TARGET = "/mnt/target";

/**
 * Installs a toolchain into a container; for cross-compilation also mounts the target's file system.
 * @returns the container, and the options that tell build_wheel.py about it
 */
export async function withToolchain(
  request: BuildRequest<PythonBuild>,
  container: Container,
  { host, target, prefix, compilers, hostHeaders, libraries }: Toolchain,
): Promise<{ container: Container; options: readonly string[] }> {
  const headers = await pythonHeaders(container);
  const builds = installed(request, host, container, [...compilers, ...(hostHeaders ? headers : [])]);
  if (host === target) return { container: await builds, options: [] };
  const options = ["--prefix", prefix];
  const [builder, root] = await Promise.all([
    builds,
    targetRoot(request, target, [...libraries, ...headers]),
  ]);
  return {
    container: builder.withMountedDirectory(TARGET, root, { readOnly: true }),
    options: libraries.length + headers.length === 0 ? options : [...options, "--sysroot", TARGET],
  };
}

/** The target's base image with the libraries to link against, unpacked natively. */
async function targetRoot(
  request: BuildRequest<PythonBuild>,
  target: Platform,
  libraries: readonly string[],
): Promise<Directory> {
  const base = await baseImage(request.context, request.service.build.base, target);
  if (libraries.length === 0) return base.rootfs();
  return (await installed(request, target, base, ["libc6-dev", ...libraries])).rootfs();
}

/** The official Python images contain Python's headers; for Debian's Python they are in a package. */
async function pythonHeaders(container: Container): Promise<string[]> {
  const official = await container.directory("/usr/local").glob("include/python3*/Python.h");
  return official.length > 0 ? [] : ["libpython3-dev"];
}

async function installed(
  { context, service }: BuildRequest<PythonBuild>,
  platform: Platform,
  container: Container,
  packages: readonly string[],
): Promise<Container> {
  const build = { base: service.build.base, packages };
  try {
    const result = await withSystemPackages({ context, service: { build } }, { platform, container });
    return await result.container.sync();
  } catch (error) {
    if (!isTgoError(error) || error.where !== "build.packages") throw error;
    throw new TgoError(error.code, error.what, {
      where: "build.buildPackages",
      ...(error.remedy === undefined
        ? {}
        : { remedy: error.remedy.replaceAll("build.packages", "build.buildPackages") }),
      cause: error,
    });
  }
}
