import type { Container, Directory, File, Platform as DaggerPlatform } from "@dagger.io/dagger";
import type { Platform } from "@tgo/catalog";
import type { BuildContext } from "../build-context.js";
import { LAYER_TIME } from "../build-request.js";
import { execFailure } from "../exec-failure.js";
import { firstWords } from "./download-packages.js";
import maintainerScript from "./run-maintainer-scripts.sh";

const PACKAGES = "/run/tgo/packages";
const SCRIPT = "/run/tgo/run-maintainer-scripts.sh";

/** Whose scripts run, and where. */
export interface ScriptTarget {
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
export async function runMaintainerScripts(
  installation: ScriptTarget,
  tree: Directory,
  step: Step,
): Promise<Directory> {
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
