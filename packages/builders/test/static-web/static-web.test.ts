import { lstat, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { installFailure } from "../../src/static-web/install-failure.js";
import { withMirrorAddresses } from "../../src/static-web/lock-mirror.js";
import {
  hasLocalDependency,
  installManifest,
  parsePackageJson,
  refuseWorkspaces,
  scriptsAfterInstall,
  type PackageJson,
} from "../../src/static-web/package-json.js";
import {
  isHashed,
  isUnprivileged,
  requireUnprivilegedPort,
  siteConfiguration,
} from "../../src/static-web/nginx-configuration.js";
import { requireNode } from "../../src/static-web/node-version.js";
import { npmUnhashed, requireNpmLocked } from "../../src/static-web/npm-lock.js";
import { choosePackageManager, withVersion, type ManagerName } from "../../src/static-web/package-manager.js";
import { parseYarnLock, requireLocked, unlockedPackages } from "../../src/static-web/yarn-lock.js";
import { checkRanges } from "../../src/container-tools/check-ranges.js";
import { installedPackages } from "../../src/container-tools/installed-packages.js";
import { normalizeMetadata } from "../../src/container-tools/normalize-metadata.js";

const manifest = (fields: object = {}): PackageJson => parsePackageJson("web", JSON.stringify(fields));

describe("package.json", () => {
  it("is rejected with the error, whether it is invalid JSON or has invalid fields", () => {
    expect(() => parsePackageJson("web", "{")).toThrow(/package\.json of web is not valid JSON/);
    expect(() => parsePackageJson("web", '{"dependencies":["react"]}')).toThrow(
      /cannot be read\n {2}- dependencies: must be an object\n/,
    );
  });

  it("is used without version and scripts, so that editing them installs nothing", () => {
    const fields = { dependencies: { react: "^19.0.0" }, type: "module" };
    const first = installManifest(manifest({ ...fields, version: "1.0.0", scripts: { build: "a" } }));
    expect(installManifest(manifest({ ...fields, version: "2.0.0", scripts: { build: "b" } }))).toBe(first);
    expect(installManifest(manifest({ ...fields, dependencies: { react: "^19.0.1" } }))).not.toBe(first);
    expect(JSON.parse(first)).toMatchObject(fields);
  });

  it("has its own scripts run after the installation, in npm's order", () => {
    const scripts = { prepare: "husky", build: "vite build", postinstall: "patch-package" };
    expect(scriptsAfterInstall(manifest({ scripts }))).toEqual(["postinstall", "prepare"]);
  });

  it.each([
    ["file:../ui", true],
    ["link:./ui", true],
    ["./ui", true],
    ["^1.0.0", false],
    ["npm:other@^1", false],
    ["git+https://github.com/a/b.git", false],
  ])("with the dependency %s needs the source to install: %s", (range, expected) => {
    expect(hasLocalDependency(manifest({ devDependencies: { ui: range } }))).toBe(expected);
  });

  it.each<[string, object, string | undefined, boolean]>([
    ["a list of workspaces", { workspaces: ["packages/*"] }, undefined, true],
    ["workspaces in yarn 1's other form", { workspaces: { packages: ["a"] } }, undefined, true],
    ["an empty list", { workspaces: [] }, undefined, false],
    ["packages of pnpm", {}, "packages:\n  - 'apps/*'\n", true],
    ["only the root package of pnpm", {}, "packages:\n  - .\n", false],
    ["only settings of pnpm", {}, "onlyBuiltDependencies:\n  - esbuild\n", false],
  ])("with %s", (_, fields, pnpm, rejected) => {
    const check = (): void => {
      refuseWorkspaces("web", manifest(fields), pnpm);
    };
    if (rejected) expect(check).toThrow(/several packages[^]*dockerfile strategy/);
    else expect(check).not.toThrow();
  });
});

describe("the package manager", () => {
  it.each<[string, string | undefined, string[], Partial<ReturnType<typeof choosePackageManager>>]>([
    ["the only lock's", undefined, ["package-lock.json"], { name: "npm", version: undefined }],
    [
      "the named one, in its version",
      "yarn@1.22.19",
      ["yarn.lock", "package-lock.json"],
      { name: "yarn", version: "1.22.19" },
    ],
    [
      "the named one, with its hash",
      "pnpm@9.1.0+sha512.00ff",
      ["pnpm-lock.yaml"],
      { name: "pnpm", version: "9.1.0", hash: { algorithm: "sha512", hex: "00ff" } },
    ],
    [
      "the named one, in a prerelease version",
      "npm@11.0.0-pre.1",
      ["package-lock.json"],
      { version: "11.0.0-pre.1" },
    ],
  ])("is %s", (_, packageManager, locks, expected) => {
    const fields = packageManager === undefined ? {} : { packageManager };
    expect(choosePackageManager("web", manifest(fields), new Set(locks))).toMatchObject(expected);
  });

  it.each<[string, string | undefined, string[], RegExp]>([
    ["no lock", undefined, ["README.md"], /has no yarn\.lock, package-lock\.json or pnpm-lock\.yaml/],
    [
      "two locks",
      undefined,
      ["yarn.lock", "package-lock.json"],
      /has yarn\.lock and package-lock\.json.*[^]*Set packageManager/,
    ],
    [
      "another manager's lock",
      "pnpm@9.1.0",
      ["yarn.lock"],
      /has no pnpm-lock\.yaml, but yarn\.lock; packageManager says pnpm@9\.1\.0/,
    ],
    ["an unknown manager", "bun@1.2.0", ["bun.lock"], /"bun@1\.2\.0", which is not supported/],
    ["an invalid version", "pnpm@9", ["pnpm-lock.yaml"], /"pnpm@9".*[^]*exact version/],
    ["yarn 2 or newer", "yarn@4.5.0", ["yarn.lock"], /uses yarn 4\.5\.0; only yarn 1 is supported/],
  ])("is rejected with %s", (_, packageManager, locks, message) => {
    const fields = packageManager === undefined ? {} : { packageManager };
    expect(() => choosePackageManager("web", manifest(fields), new Set(locks))).toThrow(message);
  });

  it.each<[ManagerName, string, string | undefined]>([
    ["pnpm", "lockfileVersion: '9.0'\n", "10.34.8"],
    ["pnpm", "lockfileVersion: '6.0'\n", "8.15.9"],
    ["yarn", "# yarn lockfile v1\n", "1.22.22"],
    ["npm", "{}", undefined],
  ])("%s without a version in package.json gets one that can read the lock", (name, lock, version) => {
    const chosen = { name, lock: "", version: undefined, hash: undefined };
    expect(withVersion("web", chosen, lock).version).toBe(version);
  });

  it("is rejected if the lock has an unsupported format", () => {
    const chosen = { lock: "", version: undefined, hash: undefined };
    expect(() => withVersion("web", { ...chosen, name: "pnpm" }, "lockfileVersion: 5.4\n")).toThrow(
      /format 5/,
    );
    expect(() => withVersion("web", { ...chosen, name: "yarn" }, "__metadata:\n  version: 8\n")).toThrow(
      /yarn 2/,
    );
  });
});

const YARN = `# yarn lockfile v1


"@scope/a@^1.0.0", "@scope/a@^1.2.0":
  version "1.2.3"
  resolved "https://registry.yarnpkg.com/@scope/a/-/a-1.2.3.tgz#0000"
  integrity sha512-AA==
  dependencies:
    b "^2.0.0 || ^3.0.0"
  optionalDependencies:
    a-linux "1.2.3"

alias@npm:real@^4.0.0:
  version "4.0.1"

"b@^2.0.0 || ^3.0.0":
  version "3.0.0"
`;

describe("yarn.lock", () => {
  it("is read with its patterns, versions and dependencies", () => {
    expect(parseYarnLock(YARN)).toEqual([
      {
        patterns: ["@scope/a@^1.0.0", "@scope/a@^1.2.0"],
        version: "1.2.3",
        dependencies: { b: "^2.0.0 || ^3.0.0" },
        integrity: "sha512-AA==",
      },
      { patterns: ["alias@npm:real@^4.0.0"], version: "4.0.1", dependencies: {} },
      { patterns: ["b@^2.0.0 || ^3.0.0"], version: "3.0.0", dependencies: {} },
    ]);
    expect(parseYarnLock(YARN.replaceAll("\n", "\r\n"))).toEqual(parseYarnLock(YARN));
  });

  it.each<[string, object, string, RegExp | undefined]>([
    [
      "all dependencies",
      { dependencies: { "@scope/a": "^1.2.0", alias: "npm:real@^4.0.0" } },
      YARN,
      undefined,
    ],
    ["a missing dependency", { dependencies: { c: "^1.0.0" } }, YARN, /lacks c@\^1\.0\.0 \(package\.json\)/],
    ["a missing development dependency", { devDependencies: { c: "1" } }, YARN, /lacks c@1/],
    ["another range", { optionalDependencies: { "@scope/a": "^1.3.0" } }, YARN, /lacks @scope\/a@\^1\.3\.0/],
    [
      "a missing dependency of a package",
      {},
      YARN.replace("b@^2.0.0 || ^3.0.0", "b@^1"),
      /lacks b@\^2.*\(@scope\/a@\^1\.0\.0\)/,
    ],
    [
      "a dependency that a resolution overrides",
      { resolutions: { "**/c": "2.0.0" }, dependencies: { c: "^1.0.0" } },
      YARN,
      undefined,
    ],
    ["a linked folder", { dependencies: { ui: "link:./ui" } }, YARN, undefined],
  ])("with %s", (_, fields, lock, message) => {
    const check = (): void => {
      requireLocked("web", manifest(fields), parseYarnLock(lock));
    };
    if (message === undefined) expect(check).not.toThrow();
    else expect(check).toThrow(message);
  });

  it("reveals packages that yarn installed without a hash check", () => {
    const installed = [
      { name: "@scope/a", version: "1.2.3" },
      { name: "a-linux", version: "1.2.3" },
      { name: "b", version: "3.0.1" },
      { name: "real", version: "4.0.1" },
    ];
    expect(unlockedPackages(installed, parseYarnLock(YARN))).toEqual(["a-linux@1.2.3", "b@3.0.1"]);
  });
});

describe("package-lock.json", () => {
  const how = { checkRanges, builder: "linux/amd64" } as const;
  const lock = JSON.stringify({
    lockfileVersion: 3,
    packages: {
      "node_modules/react": { version: "19.1.0" },
      "node_modules/real": { version: "1.0.0" },
      "node_modules/local": { resolved: "packages/local", link: true },
    },
  });
  it.each<[string, object, RegExp | undefined]>([
    ["a version of the range", { dependencies: { react: "^19.0.0" } }, undefined],
    ["an alias", { dependencies: { real: "npm:other@^1" } }, undefined],
    ["a folder of the source", { dependencies: { local: "file:packages/local" } }, undefined],
    ["a missing optional package", { optionalDependencies: { fsevents: "^2" } }, undefined],
    ["another version", { dependencies: { react: "^19.2.0" } }, /lacks react@\^19\.2\.0 \(it has 19\.1\.0\)/],
    ["a missing package", { devDependencies: { vite: "^7" } }, /lacks vite@\^7[^]*Run npm install/],
  ])("with %s", async (_, fields, message) => {
    const checked = requireNpmLocked("web", manifest(fields), lock, how);
    if (message === undefined) await expect(checked).resolves.toBeUndefined();
    else await expect(checked).rejects.toThrow(message);
  });

  it.each<[string, object, string | undefined]>([
    [
      "on a Mac",
      { "node_modules/@r/darwin-arm64": { version: "1.0.0", os: ["darwin"], cpu: ["arm64"] } },
      "@r/linux-x64-gnu, @r/linux-x64-musl",
    ],
    [
      "on Linux",
      { "node_modules/@r/linux-x64-gnu": { version: "1.0.0", os: ["linux"], cpu: ["x64"] } },
      undefined,
    ],
    [
      "on another Linux machine",
      {
        "node_modules/r/node_modules/@r/linux-arm64-gnu": { version: "1.0.0", os: ["linux"], cpu: ["arm64"] },
      },
      "@r/linux-x64-gnu, @r/linux-x64-musl",
    ],
    ["without optional packages", {}, undefined],
  ])("that was made %s", async (_, programs, lacks) => {
    const names = ["@r/darwin-arm64", "@r/linux-x64-gnu", "@r/linux-x64-musl", "@r/linux-arm64-gnu"];
    const optionalDependencies = Object.fromEntries(names.map((name) => [name, "1.0.0"]));
    const text = JSON.stringify({
      lockfileVersion: 3,
      packages: { "node_modules/r": { version: "1.0.0", optionalDependencies }, ...programs },
    });
    const checked = requireNpmLocked("web", manifest({ dependencies: { r: "1.0.0" } }), text, how);
    if (lacks === undefined) await expect(checked).resolves.toBeUndefined();
    else
      await expect(checked).rejects.toMatchObject({
        code: "SOURCE",
        what: `package-lock.json of web was made on another machine: for linux/amd64 it lacks ${lacks}`,
        remedy: expect.stringMatching(/^Delete package-lock\.json and node_modules/) as string,
      });
  });

  it("names the packages that are installed without a hash check", () => {
    const packages = {
      "": { name: "web" },
      "packages/local": { version: "1.0.0" },
      "node_modules/local": { resolved: "packages/local", link: true },
      "node_modules/archive": { version: "1.0.0", resolved: "file:archive.tgz" },
      "node_modules/commit": { version: "1.0.0", resolved: "git+ssh://git@example.com/a.git#0123" },
      "node_modules/hashed": { version: "1.0.0", integrity: "sha512-AA==" },
      "node_modules/hashed/node_modules/@a/bare": { version: "2.0.0", resolved: "https://r/bare.tgz" },
      "node_modules/bundled": { version: "1.0.0", inBundle: true },
    };
    expect(npmUnhashed(JSON.stringify({ lockfileVersion: 3, packages }))).toEqual(["@a/bare@2.0.0"]);
  });

  it("in npm 6's format is left to npm", async () => {
    const fields = manifest({ dependencies: { react: "1" } });
    const lock = '{"lockfileVersion":1,"dependencies":{}}';
    await expect(requireNpmLocked("web", fields, lock, how)).resolves.toBeUndefined();
  });
});

describe("a lock through a mirror", () => {
  it("has only the public registries' addresses replaced", () => {
    const lock = [
      'resolved "https://registry.yarnpkg.com/a/-/a-1.0.0.tgz#00"',
      '"resolved": "https://registry.npmjs.org/@b/c/-/c-1.0.0.tgz"',
      '"resolved": "https://npm.corp.example/d/-/d-1.0.0.tgz"',
    ].join("\n");
    expect(withMirrorAddresses(lock, "https://mirror.example/npm/")).toBe(
      [
        'resolved "https://mirror.example/npm/a/-/a-1.0.0.tgz#00"',
        '"resolved": "https://mirror.example/npm/@b/c/-/c-1.0.0.tgz"',
        '"resolved": "https://npm.corp.example/d/-/d-1.0.0.tgz"',
      ].join("\n"),
    );
    expect(withMirrorAddresses(lock, undefined)).toBe(lock);
  });
});

describe("Node", () => {
  it.each([
    ["^20.19.0 || >=22.12.0", "v20.20.2\n"],
    ["lts/*", "v20.20.2"],
  ])("satisfies %s: %s", async (range, node) => {
    const builder = { image: "node:20-alpine", node };
    await expect(requireNode("web", range, builder, checkRanges)).resolves.toBeUndefined();
  });

  it("of another version is rejected, showing both versions and an image with the right one", async () => {
    const builder = { image: "docker.io/library/node:20-alpine", node: "v20.20.2" };
    await expect(requireNode("web", ">=22.12.0", builder, checkRanges)).rejects.toThrow(
      /requires Node >=22\.12\.0.*has 20\.20\.2[^]*node:22-alpine/,
    );
  });
});

describe("nginx", () => {
  it.each([
    ["/assets/index-D9ePsCub.css", true],
    ["/assets/inter-latin-400-normal-C38fXH4l.woff2", true],
    ["/assets/index-abc4efgh.js.map", true],
    ["/assets/fonts/a.B-_d3fgh.woff2", true],
    ["/assets/settings.js", false],
    ["/assets/user-settings.js", false],
    ["/assets/logo.svg", false],
    ["/index-D9ePsCub.css", false],
    ["/assets/index.html", false],
  ])("caches %s for a year: %s", (path, expected) => {
    expect(isHashed(path)).toBe(expected);
  });

  it("serves index.html for all paths of a single-page app, and revalidates files that merely look hashed", () => {
    const site = { root: "/srv", port: 8080, unhashed: ["/assets/photo-IMG_0001.jpg"] };
    const single = siteConfiguration({ ...site, singlePage: true });
    expect(single).toContain("try_files $uri $uri/ /index.html;");
    expect(single).toContain('"/assets/photo-IMG_0001.jpg" no-cache;');
    expect(single).toContain("listen 8080;");
    expect(siteConfiguration({ ...site, singlePage: false })).toContain("try_files $uri $uri/ =404;");
  });

  it("runs as root by default; other users need an unprivileged port", () => {
    expect([undefined, "root", "0", "0:0", "101", "nginx"].map(isUnprivileged)).toEqual([
      ...[false, false, false, false],
      ...[true, true],
    ]);
    expect(() => {
      requireUnprivilegedPort("web", "101", 80);
    }).toThrow(/may not listen on port 80[^]*image\.ports/);
    expect(() => {
      requireUnprivilegedPort("web", "101", 8080);
    }).not.toThrow();
  });
});

describe("a failed installation", () => {
  const LOCKS = { yarn: "yarn.lock", npm: "package-lock.json", pnpm: "pnpm-lock.yaml" } as const;
  const failed = (name: ManagerName, output: string, lock = ""): string => {
    const error = Object.assign(new Error("exit code: 1"), {
      cmd: [],
      exitCode: 1,
      stdout: output,
      stderr: "",
    });
    const manager = { name, lock: LOCKS[name], version: undefined, hash: undefined };
    return installFailure("web", { manager, lock }, error).message;
  };

  // Output of yarn 1.22.22, npm 10.8.2 and pnpm 10.34.8.
  it.each<[string, ManagerName, string, RegExp]>([
    [
      "a stale lock",
      "yarn",
      "error Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`.",
      /^yarn\.lock of web does not match package\.json\n[^]*Run yarn install/,
    ],
    [
      "a stale lock",
      "npm",
      "npm error code EUSAGE\nnpm error `npm ci` can only install packages when your package.json and package-lock.json or npm-shrinkwrap.json are in sync.\nnpm error Missing: vite@7.0.0 from lock file",
      /^package-lock\.json of web does not match package\.json\n[^]*Missing: vite@7\.0\.0/,
    ],
    [
      "a stale lock",
      "pnpm",
      ' ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile" because pnpm-lock.yaml is not up to date with package.json',
      /^pnpm-lock\.yaml of web does not match package\.json\n/,
    ],
    [
      "a hash mismatch",
      "yarn",
      'error https://registry.yarnpkg.com/a/-/a-1.0.0.tgz: Integrity check failed for "a" (computed integrity doesn\'t match our records, got "sha512-B")',
      /^the hash of a package of web differs from yarn\.lock\n[^]*a-1\.0\.0/,
    ],
    [
      "a package that was removed",
      "yarn",
      'error Error: https://registry.npmjs.org/gone/-/gone-2.0.0.tgz: Request failed "404 Not Found"\n    at ResponseError.ExtendableBuiltin (/opt/yarn/lib/cli.js:696:66)',
      /is not in the registry\n.*gone-2\.0\.0\.tgz: Request failed "404 Not Found"\n {2}It may have been removed/,
    ],
    [
      "a private package",
      "npm",
      "npm error code E401\nnpm error 401 Unauthorized - GET https://npm.corp.example/a",
      /denies access[^]*--npmrc/,
    ],
    [
      "an unreachable registry",
      "npm",
      "npm error code ECONNREFUSED\nnpm error network request to http://localhost:1/a failed",
      /cannot be reached[^]*mirrors\.npm/,
    ],
    [
      "a proxy's certificate",
      "npm",
      "npm error code SELF_SIGNED_CERT_IN_CHAIN",
      /is not trusted[^]*--ca-bundle FILE/,
    ],
    [
      "a package for another Node",
      "yarn",
      'error cli@2.0.0: The engine "node" is incompatible with this module. Expected version ">=22". Got "20.20.2"',
      /does not support the builder's Node version\n[^]*Expected version ">=22"[^]*build\.builder/,
    ],
    [
      "anything else",
      "yarn",
      "error /app/node_modules/a: Command failed.",
      /^installing the packages of web failed with exit code 1\n[^]*Command failed/,
    ],
  ])("for %s (%s) has its own message", (_, name, output, message) => {
    expect(failed(name, output)).toMatch(message);
  });

  it("for a hash mismatch names the package, which npm does not", () => {
    const lock = JSON.stringify({
      packages: { "node_modules/a/node_modules/@s/b": { version: "1.0.0", integrity: "sha512-AA==" } },
    });
    const output =
      "npm error code EINTEGRITY\nnpm error sha512-AA== integrity checksum failed when using sha512: wanted sha512-AA== but got sha512-BB==. (267 bytes)";
    expect(failed("npm", output, lock)).toMatch(/^@s\/b@1\.0\.0: /);
  });
});

describe("normalized metadata", () => {
  it("sets one time, and modes that do not depend on the checkout", async () => {
    const root = await mkdtemp(join(tmpdir(), "tgo-normalize-"));
    try {
      await mkdir(join(root, "assets"), { mode: 0o700 });
      await writeFile(join(root, "assets/a.js"), "", { mode: 0o600 });
      await writeFile(join(root, "run.sh"), "", { mode: 0o700 });
      await symlink("/nowhere", join(root, "link"));
      await normalizeMetadata({ root, seconds: 1_000_000_000 });
      const attributes = async (path: string): Promise<[string, number]> => {
        const { mode, mtimeMs } = await lstat(join(root, path));
        return [(mode & 0o777).toString(8), mtimeMs / 1000];
      };
      expect(await attributes("assets")).toEqual(["755", 1_000_000_000]);
      expect(await attributes("assets/a.js")).toEqual(["644", 1_000_000_000]);
      expect(await attributes("run.sh")).toEqual(["755", 1_000_000_000]);
      expect((await attributes("link"))[1]).toBe(1_000_000_000);
    } finally {
      await rm(root, { recursive: true });
    }
  });
});

describe("installed packages", () => {
  const folders: string[] = [];
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

  it("are found by their own names, including nested and scoped ones, but not tools and linked folders", async () => {
    const root = await mkdtemp(join(tmpdir(), "tgo-modules-"));
    folders.push(root);
    const put = async (path: string, name: string): Promise<void> => {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), JSON.stringify({ name, version: "1.0.0" }));
    };
    await put("a/package.json", "a");
    await put("a/node_modules/b/package.json", "b");
    await put("a/lib/package.json", "not-a-package");
    await put("@scope/c/package.json", "@scope/c");
    await put("alias/package.json", "real");
    await put(".bin/package.json", "tool");
    await symlink("a", join(root, "linked"));
    const names = (await installedPackages({ root })).map(({ name }) => name);
    expect(names.sort()).toEqual(["@scope/c", "a", "b", "real"]);
  });
});
