import { TgoError } from "@tgo/errors";
import * as z from "zod";
import { errorMessage } from "../exec-failure.js";

const Dependencies = z.record(z.string(), z.string()).default({});

/** What a build reads of a package.json. @see https://docs.npmjs.com/cli/v10/configuring-npm/package-json */
const PackageJson = z.looseObject({
  packageManager: z.string().optional(),
  engines: z.looseObject({ node: z.string().optional() }).default({}),
  scripts: z.record(z.string(), z.string()).default({}),
  dependencies: Dependencies,
  devDependencies: Dependencies,
  optionalDependencies: Dependencies,
  resolutions: Dependencies,
  workspaces: z.unknown().optional(),
});
export type PackageJson = z.infer<typeof PackageJson>;

/**
 * Reads a package.json.
 * @throws TgoError SOURCE
 */
export function parsePackageJson(service: string, text: string): PackageJson {
  const parsed = PackageJson.safeParse(parseJson(service, text));
  if (parsed.success) return parsed.data;
  throw new TgoError(
    "SOURCE",
    `the package.json of ${service} cannot be read\n${z.prettifyError(parsed.error)}`,
    {
      remedy: "Mend the file.",
    },
  );
}

function parseJson(service: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TgoError("SOURCE", `the package.json of ${service} is not valid JSON: ${errorMessage(cause)}`, {
      remedy: "Mend the file.",
      cause,
    });
  }
}

/**
 * The package.json an installation sees: without the project's version and scripts. An edit to them installs
 * nothing anew, and scripts that need the source do not run before it is there.
 */
export function installManifest(manifest: PackageJson): string {
  const kept = Object.entries(manifest).filter(([field]) => field !== "version" && field !== "scripts");
  return `${JSON.stringify(Object.fromEntries(kept), null, 2)}\n`;
}

/** Scripts of the project itself that every manager runs after an installation, in their order. */
const AFTER_INSTALL = ["install", "postinstall", "prepare"];

export function scriptsAfterInstall({ scripts }: PackageJson): string[] {
  return AFTER_INSTALL.filter((script) => script in scripts);
}

/** Everything the project asks for, name to range; of two ranges for one name, the one managers take. */
export function requested(manifest: PackageJson): Record<string, string> {
  return { ...manifest.devDependencies, ...manifest.dependencies, ...manifest.optionalDependencies };
}

/** Whether a dependency is a folder or file of the source, so that no installation works without the source. */
export function hasLocalDependency(manifest: PackageJson): boolean {
  return Object.values(requested(manifest)).some((range) => /^(?:file|link|portal):|^\.{0,2}\//.test(range));
}

/**
 * One package per service: the others of a workspace would have to be there before anything is installed.
 * @param pnpmWorkspace contents of pnpm-workspace.yaml, which also holds plain settings
 * @throws TgoError SOURCE
 */
export function refuseWorkspaces(
  service: string,
  manifest: PackageJson,
  pnpmWorkspace: string | undefined,
): void {
  const { workspaces } = manifest;
  const globs = Array.isArray(workspaces)
    ? workspaces
    : z.object({ packages: z.array(z.unknown()) }).safeParse(workspaces).data?.packages;
  const listed = /^packages:\s*\n((?:[ \t]*-.*\n?|[ \t]*#.*\n|\s*\n)+)/m.exec(pnpmWorkspace ?? "")?.[1] ?? "";
  const others = listed
    .split("\n")
    .filter((line) => /^\s*-/.test(line) && !/^\s*-\s*["']?\.\/?["']?\s*$/.test(line));
  const where =
    (globs?.length ?? 0) > 0
      ? "workspaces in package.json"
      : others.length > 0
        ? "packages in pnpm-workspace.yaml"
        : undefined;
  if (where === undefined) return;
  throw new TgoError(
    "SOURCE",
    `${service} is the root of several packages, which this strategy cannot install`,
    {
      where,
      remedy:
        "Give the service's own package a lock file and pass its folder, or build it with the dockerfile strategy.",
    },
  );
}
