import { access } from "node:fs/promises";
import { userInfo } from "node:os";
import { delimiter, isAbsolute, join } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The caller's home folder: `HOME`, or what the machine knows of the user if that is empty or relative. Files are never
 * looked up in the current folder instead.
 */
export function homeFolder(env: Environment): string {
  return absoluteOf(env.HOME) ?? knownHome();
}

/** The folder for results that are kept: https://specifications.freedesktop.org/basedir-spec/latest/ */
export function cacheFolder(env: Environment): string {
  return absoluteOf(env.XDG_CACHE_HOME) ?? join(homeFolder(env), ".cache");
}

/** The folder of the Docker config; like docker, an empty `DOCKER_CONFIG` counts as unset. */
export function dockerConfigFolder(env: Environment, home: string): string {
  const given = env.DOCKER_CONFIG ?? "";
  return given === "" ? join(home, ".docker") : given;
}

/**
 * A `PATH` without folders relative to the current one, which may be a source's: no program is taken from there. An empty
 * one would be the current folder.
 */
export function absolutePath(path: string): string {
  const folders = path.split(delimiter).filter((folder) => isAbsolute(folder));
  return folders.length === 0 ? "/usr/bin:/bin" : folders.join(delimiter);
}

/** Whether a path exists, its symbolic links followed; false too where it cannot be looked up. */
export async function pathExists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function absoluteOf(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}

function knownHome(): string {
  try {
    return userInfo().homedir;
  } catch {
    // A user id without an entry in /etc/passwd, as in some containers.
    return "/";
  }
}
