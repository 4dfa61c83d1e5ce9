import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

export interface PackagesInput {
  /** A node_modules directory. */
  readonly root: string;
}

export interface InstalledPackage {
  /** Its own name, even if it is installed under an alias. */
  readonly name: string;
  readonly version: string;
}

/** All packages in a node_modules directory, including nested ones. Linked directories are ignored. */
export async function installedPackages({ root }: PackagesInput): Promise<InstalledPackage[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith("."));
  const found = await Promise.all(
    folders.map(async ({ name }) => {
      const folder = join(root, name);
      if (name.startsWith("@")) return installedPackages({ root: folder });
      const nested = await installedPackages({ root: join(folder, "node_modules") });
      const own = await manifestOf(folder);
      return own === undefined ? nested : [own, ...nested];
    }),
  );
  return found.flat();
}

async function manifestOf(folder: string): Promise<InstalledPackage | undefined> {
  try {
    const { name, version } = JSON.parse(
      await readFile(join(folder, "package.json"), "utf8"),
    ) as Partial<InstalledPackage>;
    return typeof name === "string" && typeof version === "string" ? { name, version } : undefined;
  } catch {
    return undefined;
  }
}
