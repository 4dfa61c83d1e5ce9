import { TgoError } from "@tgo/errors";
import * as v from "@tgo/schemas";
import { errorMessage } from "../exec-failure.js";

const Strings = v.optional(v.record(v.string(), v.string()), {});

/**
 * The fields of package.json that a build reads.
 * @see https://docs.npmjs.com/cli/v10/configuring-npm/package-json
 */
const PackageJson = v.looseObject({
  packageManager: v.optional(v.string()),
  engines: v.optional(v.looseObject({ node: v.optional(v.string()) }), {}),
  scripts: Strings,
  dependencies: Strings,
  devDependencies: Strings,
  optionalDependencies: Strings,
  resolutions: Strings,
  workspaces: v.optional(v.unknown()),
});
export type PackageJson = v.InferOutput<typeof PackageJson>;

/**
 * Parses a package.json.
 * @throws TgoError SOURCE
 */
export function parsePackageJson(service: string, text: string): PackageJson {
  const parsed = v.safeParse(PackageJson, parseJson(service, text));
  if (parsed.success) return parsed.output;
  throw new TgoError(
    "SOURCE",
    `the package.json of ${service} cannot be read\n${parsed.issues.map((issue) => `  - ${v.describeIssue(issue)}`).join("\n")}`,
    {
      remedy: "Fix the file.",
    },
  );
}

function parseJson(service: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TgoError("SOURCE", `the package.json of ${service} is not valid JSON: ${errorMessage(cause)}`, {
      remedy: "Fix the file.",
      cause,
    });
  }
}

/**
 * The package.json for the installation, without the project's version and scripts: an edit to them must not trigger an
 * installation, and scripts that need the source must not run before it is copied.
 */
export function installManifest(manifest: PackageJson): string {
  const kept = Object.entries(manifest).filter(([field]) => field !== "version" && field !== "scripts");
  return `${JSON.stringify(Object.fromEntries(kept), null, 2)}\n`;
}

/** The project's own scripts that every manager runs after an installation, in order. */
const AFTER_INSTALL = ["install", "postinstall", "prepare"];

/** The project's own scripts to run after the installation. */
export function scriptsAfterInstall({ scripts }: PackageJson): string[] {
  return AFTER_INSTALL.filter((script) => script in scripts);
}

/** All direct dependencies, name to range; if a name has two ranges, the one that managers use. */
export function directDependencies(manifest: PackageJson): Record<string, string> {
  return { ...manifest.devDependencies, ...manifest.dependencies, ...manifest.optionalDependencies };
}

/** Whether a dependency is a file or folder of the source, so that the installation needs the source. */
export function hasLocalDependency(manifest: PackageJson): boolean {
  return Object.values(directDependencies(manifest)).some((range) =>
    /^(?:file|link|portal):|^\.{0,2}\//.test(range),
  );
}

/**
 * Refuses workspaces: the installation would need all their packages before anything else.
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
    : v.outputOf(v.object({ packages: v.array(v.unknown()) }), workspaces)?.packages;
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
    `${service} is the root of a workspace with several packages, which this strategy cannot install`,
    {
      where,
      remedy:
        "Give the service's package its own lock file and pass its folder, or use the dockerfile strategy.",
    },
  );
}
