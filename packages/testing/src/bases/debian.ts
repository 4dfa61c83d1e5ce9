import { copyFile, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command, script } from "../command.js";
import type { Architecture } from "./architecture.js";
import { ownedPaths, packageOf, unpackPackages } from "./dpkg-database.js";
import { SUITE } from "./recipe.js";
import { readTree } from "./tree.js";

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
/** 2025-01-01; written by programs that would otherwise write the current time. */
export const SOURCE_DATE_EPOCH = "1735689600";
const REMEDY =
  "Check that `apt-get update` works on this machine: the stand-in bases are built from Debian packages.";

/** What the debian:*-slim images omit as well. */
const SLIM = [
  ...["doc", "man", "info", "locale", "groff", "lintian", "linda"].map(
    (dir) => `path-exclude=/usr/share/${dir}/*`,
  ),
  "path-include=/usr/share/doc/*/copyright",
  "force-unsafe-io",
];

/** Where packages come from: this machine's mirrors if it has any, else Debian's own. */
export interface PackageSources {
  readonly debian: string;
  readonly security: string;
}

/** The mirrors that this machine's apt uses for the suite; else Debian's own. */
export async function findSources(): Promise<PackageSources> {
  const listed = await command("apt-get", [
    "indextargets",
    "--format",
    "$(RELEASE) $(REPO_URI)",
    "Created-By: Packages",
  ]).catch(() => "");
  const uris = new Map(
    listed
      .split("\n")
      .map((line) => line.split(" "))
      .filter((pair): pair is [string, string] => pair.length === 2),
  );
  const uri = (release: string, otherwise: string): string =>
    (uris.get(release) ?? otherwise).replace(/^mirror\+file:.*/, otherwise).replace(/\/$/, "");
  return {
    debian: uri(SUITE, "http://deb.debian.org/debian"),
    security: uri(`${SUITE}-security`, "http://deb.debian.org/debian-security"),
  };
}

function oneLineSources({ debian, security }: PackageSources): string[] {
  return [
    `deb [signed-by=${KEYRING}] ${debian} ${SUITE} main`,
    `deb [signed-by=${KEYRING}] ${debian} ${SUITE}-updates main`,
    `deb [signed-by=${KEYRING}] ${security} ${SUITE}-security main`,
  ];
}

/** The file in the official images. */
function deb822Sources({ debian, security }: PackageSources): string {
  const stanza = (uri: string, suites: string): string =>
    `Types: deb\nURIs: ${uri}\nSuites: ${suites}\nComponents: main\nSigned-By: ${KEYRING}\n`;
  return `${stanza(debian, `${SUITE} ${SUITE}-updates`)}\n${stanza(security, `${SUITE}-security`)}`;
}

/** Proxies and other settings that apt may need to reach its mirrors. */
async function networkSettings(): Promise<string[]> {
  const dump = await command("apt-config", ["dump"]).catch(() => "");
  return dump.split("\n").filter((line) => /^Acquire::(https?::|Check-|Retries|ForceIPv)/.test(line));
}

/** Comes with the other architecture's packages, or is created by ldconfig. */
const MACHINE_SPECIFIC =
  /^lib64$|^usr\/lib64|\/ld-linux|^etc\/ld\.so\.cache$|^var\/lib\/dpkg\/(info\/|status$|arch$|available$)/;

/** Creates a minimal Debian root of this machine's architecture. */
export async function bootstrap(
  root: string,
  sources: PackageSources,
  packages: readonly string[],
): Promise<void> {
  const settings = await networkSettings();
  await command(
    "mmdebstrap",
    [
      "--mode=root",
      "--variant=minbase",
      "--quiet",
      "--skip=cleanup/apt,check/empty",
      // Merges /usr up front, with usr-is-merged; otherwise the package usrmerge does it, which pulls in all of Perl.
      "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
      `--include=${packages.join(",")}`,
      ...SLIM.map((line) => `--dpkgopt=${line}`),
      '--aptopt=APT::Install-Recommends "false"',
      ...settings.map((line) => `--aptopt=${line}`),
      SUITE,
      root,
      ...oneLineSources(sources),
    ],
    { env: { SOURCE_DATE_EPOCH }, remedy: REMEDY },
  );
  await rm(join(root, "etc/apt/sources.list"), { force: true });
  await writeFile(join(root, "etc/apt/sources.list.d/debian.sources"), deb822Sources(sources));
  for (const file of ["resolv.conf", "hosts"]) await copyFile(`/etc/${file}`, join(root, "etc", file));
}

/** Runs a program inside a root of this machine's architecture; its mounts end with it. */
function runInside(
  root: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const enter =
    'root=$1; shift; mount --rbind /dev "$root/dev"; mount -t proc proc "$root/proc"; exec chroot "$root" "$@"';
  return command(
    "unshare",
    ["--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", enter, "sh", root, ...args],
    { env: { ...env, LC_ALL: "C.UTF-8", PATH: "/usr/sbin:/usr/bin:/sbin:/bin" }, remedy: REMEDY },
  );
}

export async function installPackages(root: string, packages: readonly string[]): Promise<void> {
  if (packages.length === 0) return;
  await runInside(root, ["apt-get", "install", "-qq", "-y", "--no-install-recommends", ...packages], {
    DEBIAN_FRONTEND: "noninteractive",
    SOURCE_DATE_EPOCH,
  });
}

/** The installed packages' names. */
export async function installedPackages(root: string): Promise<string[]> {
  const names = await runInside(root, ["dpkg-query", "--show", "--showformat=${Package}\\n"]);
  return names.trimEnd().split("\n");
}

/**
 * Downloads packages of the other architecture, with the apt of a root of this machine's architecture.
 * @returns the files' paths by package name
 */
export async function downloadForeign(
  root: string,
  foreign: Architecture,
  packages: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const dir = join(root, "foreign");
  for (const part of ["lists/partial", "cache/archives/partial", "debs"]) {
    await mkdir(join(dir, part), { recursive: true });
  }
  await writeFile(join(dir, "status"), "");
  const options = [
    `APT::Architecture=${foreign.name}`,
    `APT::Architectures=${foreign.name}`,
    "APT::Sandbox::User=root",
    "Dir::State::lists=/foreign/lists",
    "Dir::State::status=/foreign/status",
    "Dir::Cache=/foreign/cache",
  ].flatMap((option) => ["-o", option]);
  await runInside(root, ["apt-get", "-qq", ...options, "update"]);
  const fetchAll = 'cd /foreign/debs; exec apt-get -qq "$@"';
  await runInside(root, ["sh", "-ec", fetchAll, "sh", ...options, "download", ...packages]);
  const files = await readdir(join(dir, "debs"));
  return new Map(files.map((file) => [packageOf(file), join(dir, "debs", file)]));
}

export interface ForeignRoot {
  readonly root: string;
  readonly foreign: Architecture;
  /** The same system, installed and configured on this machine. */
  readonly nativeRoot: string;
  readonly native: Architecture;
}

/**
 * Completes a root of the other architecture from its native twin, without running maintainer scripts: package files
 * come from the other architecture's packages; what the scripts created (users, alternatives, certificates, bytecode)
 * is copied from the twin, because none of it depends on the machine.
 */
export async function completeForeign(pair: ForeignRoot, debs: readonly string[]): Promise<void> {
  const { root, native, foreign } = pair;
  for (const directory of ["bin", "sbin", ...foreign.libraries]) {
    await mkdir(join(root, "usr", directory), { recursive: true });
    await command("ln", ["-sfn", `usr/${directory}`, join(root, directory)]);
  }
  await unpackPackages(root, debs);
  await removeExcluded(root);
  await copyCreated(pair);
  const states = join(root, "var/lib/apt/extended_states");
  const extended = await readFile(states, "utf8").catch(() => undefined);
  if (extended !== undefined) {
    await writeFile(
      states,
      extended.replaceAll(`Architecture: ${native.name}`, `Architecture: ${foreign.name}`),
    );
  }
  await writeFile(join(root, "var/lib/dpkg/arch"), `${foreign.name}\n`);
  // Only the other machine's own program can write this cache; 30 ms under emulation.
  await command("chroot", [root, "/sbin/ldconfig"], {
    remedy:
      "Programs of the other architecture do not run here: install qemu-user-static and register it with binfmt_misc.",
  });
}

async function removeExcluded(root: string): Promise<void> {
  await script(
    `cd "$1/usr/share"
    find doc -type f ! -name copyright -delete
    rm -rf man/* info/* locale/* groff/* lintian/* linda/*`,
    [root],
  );
}

async function copyCreated({ root, nativeRoot, native }: ForeignRoot): Promise<void> {
  const owned = await ownedPaths(nativeRoot);
  const unpacked = readTree(root);
  const created: string[] = [];
  for (const [path, entry] of readTree(nativeRoot)) {
    if (path.includes(native.triplet) || MACHINE_SPECIFIC.test(path)) continue;
    const becameLink = entry.kind === "symlink" && unpacked.get(path)?.kind === "directory";
    // Maintainer scripts change owners and modes of their packages' directories: copy all directories.
    if (owned.has(path) && entry.kind !== "directory" && !becameLink) continue;
    if (becameLink) await rm(join(root, path), { recursive: true });
    created.push(path);
  }
  const list = join(root, "foreign-created.list");
  await writeFile(list, created.join("\0"));
  await script(
    'tar -C "$1" --null --no-recursion -T "$3" -c | tar -C "$2" -xp --keep-directory-symlink; rm "$3"',
    [nativeRoot, root, list],
  );
}
