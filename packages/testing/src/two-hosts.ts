import { execFile } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** A shell that a program is started from. */
export interface HostSettings {
  /** Shell commands first, such as `umask 077`. */
  readonly shell: string;
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The machine's name, if it has another one. */
  readonly hostname?: string;
}

/** Two machines that have as little in common as one machine allows. */
export interface TwoHosts {
  readonly plain: HostSettings;
  readonly odd: HostSettings;
  /** A folder of the first machine's file system. */
  readonly folder: string;
  /** Removes the folders of both. */
  readonly remove: () => void;
}

/** The second machine has another name, and its folder is on another file system: in memory, or not. */
export function twoHosts(): TwoHosts {
  const folder = mkdtempSync(join(tmpdir(), "tgo-hosts-"));
  const others = ["/dev/shm", "/var/tmp"].filter((each) => existsSync(each));
  const other = others.find((each) => statfsSync(each).type !== statfsSync(folder).type) ?? tmpdir();
  const oddFolder = mkdtempSync(join(other, "tgo-odd-host-"));
  const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  mkdirSync(join(folder, "plain"));
  const at = (name: string): string => join(oddFolder, name);
  for (const name of ["bin", "docker", "python"]) mkdirSync(at(name));
  // Programs that are found first and fail, and files that shells and interpreters read at their start.
  for (const name of "sh bash tar mount umount unshare setpriv nsenter ip find mknod buildah crun".split(
    " ",
  )) {
    writeFileSync(at(`bin/${name}`), "#!/bin/false\n");
    chmodSync(at(`bin/${name}`), 0o755);
  }
  writeFileSync(at("profile"), "umask 000; exit 77\n");
  writeFileSync(at("containers.conf"), '[containers]\nenv = ["FROM_HOST=1"]\numask = "0077"\n');
  const plain = {
    shell: "umask 022",
    cwd: join(folder, "plain"),
    env: { PATH: path, HOME: "/root", LANG: "C.UTF-8" },
  };
  const odd = {
    hostname: "odd-host.example",
    shell: "umask 077; ulimit -c unlimited; ulimit -Sn 2048",
    cwd: oddFolder,
    env: {
      ...{
        PATH: `${at("bin")}::.:${path}`,
        LANG: "tr_TR.UTF-8",
        LC_ALL: "de_DE.ISO-8859-1",
        TZ: "Asia/Kathmandu",
      },
      ...{ BASH_ENV: at("profile"), ENV: at("profile"), CDPATH: "/usr", IFS: "/", POSIXLY_CORRECT: "1" },
      ...{ DOCKER_CONFIG: at("docker"), CONTAINERS_CONF: at("containers.conf"), STORAGE_DRIVER: "vfs" },
      ...{ BUILDAH_FORMAT: "oci", BUILDAH_ISOLATION: "rootless", BUILDAH_LAYERS: "false" },
      ...{ REGISTRIES_CONFIG_PATH: "/nonexistent", REGISTRY_AUTH_FILE: "/nonexistent" },
      ...{
        TAR_OPTIONS: "--owner=nobody --mtime=@1",
        GZIP: "-1",
        SOURCE_DATE_EPOCH: "1",
        GIT_DIR: "/nonexistent",
      },
      ...{
        PYTHONPATH: at("python"),
        PIP_INDEX_URL: "http://127.0.0.1:9",
        UV_INDEX_URL: "http://127.0.0.1:9",
      },
      ...{ npm_config_registry: "http://127.0.0.1:9", POETRY_VIRTUALENVS_PATH: "/nonexistent" },
      ...{
        HTTP_PROXY: "http://127.0.0.1:9",
        https_proxy: "http://127.0.0.1:9",
        no_proxy: "localhost,127.0.0.1",
      },
      ...{ LD_LIBRARY_PATH: at("bin"), QEMU_CPU: "none", XDG_CONFIG_HOME: at(""), MAKEFLAGS: "-n" },
    },
  };
  const remove = (): void => {
    for (const each of [folder, oddFolder]) rmSync(each, { recursive: true });
  };
  return { plain, odd, folder, remove };
}

/** User and group of files that nobody on this machine has. */
const STRANGER = [4711, 4712] as const;

/** Gives everything in a folder, but not the folder, to a user and a group that this machine does not know. */
export function giveAway(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    lchownSync(path, ...STRANGER);
    if (lstatSync(path).isDirectory()) giveAway(path);
  }
}

/** Copies a folder with its files' modes, made in another order and owned by a stranger. */
export function copyOddly(from: string, to: string): void {
  mkdirSync(to);
  for (const name of readdirSync(from).sort().reverse()) {
    const [source, target] = [join(from, name), join(to, name)];
    if (lstatSync(source).isDirectory()) copyOddly(source, target);
    else cpSync(source, target, { verbatimSymlinks: true });
    lchownSync(target, ...STRANGER);
  }
  chmodSync(to, lstatSync(from).mode & 0o7777);
}

/** Runs a program of Node there. @returns its standard output */
export async function runOn(host: HostSettings, args: readonly string[]): Promise<string> {
  const command = [process.execPath, ...args];
  const renamed = `echo "$0" >/proc/sys/kernel/hostname; exec "$@"`;
  const { stdout } = await promisify(execFile)(
    "/bin/sh",
    [
      ...["-c", `${host.shell}; exec "$@"`, "sh"],
      ...(host.hostname === undefined
        ? []
        : ["/usr/bin/unshare", "--uts", "/bin/sh", "-c", renamed, host.hostname]),
      ...command,
    ],
    { cwd: host.cwd, env: host.env, maxBuffer: 1 << 24 },
  );
  return stdout;
}
