import type { Container } from "@dagger.io/dagger";
import type { Platform, PythonBuild } from "@tgo/catalog";
import { baseImage } from "../../context.js";
import { buildError } from "../build-error.js";
import type { BuildRequest } from "../request.js";
import script from "./toolchain.sh";

/** Names of a platform's compiler in Debian. */
const DEBIAN: Record<Platform, { architecture: string; triplet: string }> = {
  "linux/amd64": { architecture: "amd64", triplet: "x86_64-linux-gnu" },
  "linux/arm64": { architecture: "arm64", triplet: "aarch64-linux-gnu" },
};

/** What is compiled for a target, and by what. */
export interface Toolchain {
  readonly target: Platform;
  /** Whether the compiler runs on another platform than its target's. */
  readonly cross: boolean;
  /** Before a program's name, e.g. aarch64-linux-gnu-. */
  readonly prefix: string;
  readonly packages: readonly string[];
}

/** The Debian packages that compile some languages on one platform for another. */
export function toolchain(
  host: Platform,
  target: Platform,
  languages: readonly string[],
  buildPackages: readonly string[],
): Toolchain {
  const cross = host !== target;
  const { architecture, triplet } = DEBIAN[target];
  // In the package's name the underscore of x86_64 is a dash.
  const suffix = cross ? `-${triplet.replace("_", "-")}` : "";
  const compilers = ["gcc", ...(languages.includes("c++") ? ["g++"] : [])].map((name) => `${name}${suffix}`);
  const library = cross ? `libc6-dev-${architecture}-cross` : "libc6-dev";
  return {
    target,
    cross,
    prefix: cross ? `${triplet}-` : "",
    packages: [
      ...compilers,
      library,
      ...buildPackages.map((name) => (cross ? `${name}:${architecture}` : name)),
    ],
  };
}

/** A container with a toolchain, and the target's own files at /mnt/target for its headers. */
export async function withToolchain(
  request: BuildRequest<PythonBuild>,
  container: Container,
  { target, cross, packages }: Toolchain,
): Promise<Container> {
  const { context, service } = request;
  const { architecture } = DEBIAN[target];
  let builder = container
    .withNewFile("/run/tgo/toolchain.sh", script)
    .withEnvVariable("DEBIAN_FRONTEND", "noninteractive")
    .withExec(["sh", "/run/tgo/toolchain.sh", architecture, ...packages]);
  if (cross) {
    const root = (await baseImage(context, service.build.base, target)).rootfs();
    builder = builder.withMountedDirectory("/mnt/target", root, { readOnly: true });
  }
  try {
    return await builder.sync();
  } catch (error) {
    throw buildError(
      `installing the compiler for ${target} (${packages.join(", ")})`,
      "Check the names in build.buildPackages, and that the Debian archive of the base image's apt sources answers.",
      error,
    );
  }
}
