import type { Container, Directory } from "@dagger.io/dagger";
import { LAYER_TIME } from "../build-request.js";
import shareScript from "./share-files.sh";
import unpackAllScript from "./unpack-all.sh";
import unpackScript from "./unpack-packages.sh";

/** A root to unpack packages into. */
export interface UnpackTarget {
  /** Debian's name. */
  readonly architecture: string;
  readonly root: Directory;
  /** The output of download-packages.sh. */
  readonly packages: Directory;
}

/**
 * Unpacks packages for all targets in one native step.
 * @returns for each target its root, and the output of unpack-packages.sh
 */
export function unpackPackages(
  native: Container,
  targets: readonly UnpackTarget[],
): { readonly tree: Directory; readonly out: Directory }[] {
  const architectures = targets.map(({ architecture }) => architecture);
  const mounted = targets.reduce(
    (container, { architecture, root, packages }) =>
      container
        .withMountedDirectory(`/mnt/target/${architecture}`, root)
        .withMountedDirectory(`/run/tgo/packages/${architecture}`, packages, { readOnly: true }),
    native,
  );
  const done = mounted
    .withNewFile("/run/tgo/unpack-all.sh", unpackAllScript)
    .withNewFile("/run/tgo/unpack-packages.sh", unpackScript)
    .withNewFile("/run/tgo/share-files.sh", shareScript)
    .withExec(["sh", "/run/tgo/unpack-all.sh", `${LAYER_TIME}`, ...architectures]);
  return architectures.map((architecture) => {
    const own = done.directory(`/mnt/target/${architecture}`);
    const tree = architectures.length === 1 ? own : own.withDirectory("/", done.directory("/out/shared"));
    return { tree, out: done.directory(`/out/${architecture}`) };
  });
}
