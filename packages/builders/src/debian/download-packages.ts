import type { Container, Directory } from "@dagger.io/dagger";
import { withCaBundle, type BuildContext } from "../build-context.js";
import { debianMirror, mirroredSources } from "./apt-mirror.js";
import downloadScript from "./download-packages.sh";

/**
 * Resolves and downloads packages for a base of any architecture, with the native apt.
 * @param args of download-packages.sh
 * @returns its output
 */
export async function downloadPackages(
  context: BuildContext,
  { native, base }: { readonly native: Container; readonly base: Container },
  args: readonly string[],
): Promise<Directory> {
  return (await downloadContainer(context, native, base))
    .withMountedDirectory("/mnt/target", base.rootfs(), { readOnly: true })
    .withNewFile("/run/tgo/download-packages.sh", downloadScript)
    .withExec(["sh", "/run/tgo/download-packages.sh", ...args])
    .directory("/out");
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

/** The first word of every line. */
export async function firstWords(directory: Directory, file: string): Promise<string[]> {
  const text = await directory.file(file).contents();
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(" ")[0] ?? "");
}
