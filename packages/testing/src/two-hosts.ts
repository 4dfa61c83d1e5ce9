import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
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
}

/** Two machines' shells that have as little in common as one machine allows; both folders are for the caller to remove. */
export function twoHosts(): {
  readonly plain: HostSettings;
  readonly odd: HostSettings;
  readonly folder: string;
} {
  const folder = mkdtempSync(join(tmpdir(), "tgo-hosts-"));
  const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  for (const name of ["plain", "odd", "odd/bin", "odd/docker", "odd/python"]) mkdirSync(join(folder, name));
  const at = (name: string): string => join(folder, "odd", name);
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
    shell: "umask 077; ulimit -c unlimited; ulimit -Sn 2048",
    cwd: at(""),
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
  return { plain, odd, folder };
}

/** Runs a program of Node there. @returns its standard output */
export async function runOn(host: HostSettings, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(
    "/bin/sh",
    ["-c", `${host.shell}; exec "$@"`, "sh", process.execPath, ...args],
    { cwd: host.cwd, env: host.env, maxBuffer: 1 << 24 },
  );
  return stdout;
}
