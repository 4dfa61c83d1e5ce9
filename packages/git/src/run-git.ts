import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { dirname } from "node:path";
import { innerCause, isDiskFull, TgoError } from "@tgo/errors";
import { absolutePath, runProgram } from "@tgo/host";
import type { GitRun } from "./git-run.js";

/**
 * Settings by which a repository could run a program or change what git prints. Given on the command line, they win over
 * the repository's own.
 * @see https://git-scm.com/docs/git-config
 */
const CLOSED: Readonly<Record<string, string>> = {
  "core.fsmonitor": "false",
  "core.hooksPath": "/dev/null",
  "core.attributesFile": "/dev/null",
  "core.alternateRefsCommand": "false",
  "core.askPass": "false",
  "core.editor": "false",
  "core.gitProxy": "none",
  "core.pager": "cat",
  "core.quotePath": "false",
  "core.sshCommand": "false",
  "core.untrackedCache": "false",
  "credential.helper": "",
  "diff.external": "",
  "gc.auto": "0",
  "gpg.program": "false",
  "log.showSignature": "false",
  "maintenance.auto": "false",
  "protocol.allow": "never",
  "safe.bareRepository": "explicit",
  "submodule.recurse": "false",
  "uploadpack.packObjectsHook": "false",
};

const LIMIT_MS = 60_000;

/** For lists of paths. */
const MAX_OUTPUT = 256 << 20;

export interface GitOptions {
  /** The folder git starts in; it looks for a repository here only, never in a parent folder. */
  readonly folder: string;
  /** Further settings, over {@link CLOSED}. */
  readonly settings?: readonly (readonly [name: string, value: string])[];
  /** Further variables, such as GIT_DIR. */
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  readonly run: GitRun;
}

/** Git ended with an error. */
export class GitFailed extends Error {
  constructor(
    readonly exitCode: number,
    /** Git's own message, in English. */
    readonly stderr: string,
  ) {
    super(stderr);
    this.name = "GitFailed";
  }

  /** The first line of git's message. */
  get reason(): string {
    return (this.stderr.split("\n")[0] ?? "").replace(/^(?:fatal|error): /, "");
  }
}

/**
 * Runs git to its end. This and {@link startGit} are the only ways in which git is started: without the configuration of
 * the system and the user, without variables of the caller's environment, and with {@link CLOSED} over the repository's
 * own configuration.
 * @returns its standard output
 * @throws GitFailed, TgoError ENVIRONMENT if it is missing or hangs, INTERRUPTED
 */
export async function runGit(args: readonly string[], options: GitOptions): Promise<string> {
  const { folder, input, run } = options;
  if (run.signal?.aborted === true) throw interrupted();
  try {
    const { exitCode, stdout, stderr } = await runProgram("git", {
      ...callOf(args, options),
      ...(input === undefined ? {} : { input }),
      timeoutMs: run.limitMs ?? LIMIT_MS,
      maxBytes: MAX_OUTPUT,
      showsErrors: true,
      remedy: `Check the .git of ${folder} for named pipes and for files on a disk that does not respond.`,
    });
    if (exitCode === 0) return stdout;
    const failure = new GitFailed(exitCode, stderr.trim());
    throw isDiskFull(failure) ? (innerCause(failure) ?? failure) : failure;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new TgoError("ENVIRONMENT", "git is not installed", {
      where: folder,
      remedy: "Install it: apt-get install -y git.",
      cause: error,
    });
  }
}

/** Starts git in the same way, for a conversation. */
export function startGit(args: readonly string[], options: GitOptions): ChildProcessWithoutNullStreams {
  const { args: all, ...call } = callOf(args, options);
  const { signal } = options.run;
  return spawn("git", all, { ...call, killSignal: "SIGKILL", ...(signal === undefined ? {} : { signal }) });
}

interface Call {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

function callOf(args: readonly string[], { folder, settings = [], env }: GitOptions): Call {
  const all = [...Object.entries(CLOSED), ...settings].flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  return {
    args: ["--no-pager", "-C", folder, ...all, ...args],
    env: {
      ...cleanEnvironment(),
      ...CLOSED_ENVIRONMENT,
      GIT_CEILING_DIRECTORIES: dirname(folder),
      ...env,
    },
    cwd: "/",
  };
}

/**
 * A setting of the caller's own configuration, or of the system's: the only reading of it. A repository's is not read.
 * @param gitDir an empty repository
 * @returns each value, the one that counts last
 */
export async function callersSetting(name: string, gitDir: string, run: GitRun): Promise<string[]> {
  const callers = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[0].startsWith("GIT_CONFIG_") && entry[1] !== undefined,
  );
  const env = { GIT_DIR: gitDir, ...Object.fromEntries(callers) };
  const type = name === "core.excludesFile" ? ["--type=path"] : [];
  try {
    const child = { folder: gitDir, env: { ...OPEN_ENVIRONMENT, ...env }, run };
    const text = await runGit(["config", "--null", ...type, "--get-all", name], child);
    return text.split("\0").slice(0, -1);
  } catch (error) {
    // Exit code 1: not set.
    if (error instanceof GitFailed) return [];
    throw error;
  }
}

/** @see https://git-scm.com/docs/git#_environment_variables */
const CLOSED_ENVIRONMENT: Readonly<Record<string, string>> = {
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_SYSTEM: "/dev/null",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_ATTR_NOSYSTEM: "1",
  GIT_ALLOW_PROTOCOL: "none",
  GIT_ASKPASS: "false",
  GIT_SSH_COMMAND: "false",
  GIT_TERMINAL_PROMPT: "0",
  GIT_PAGER: "cat",
  GIT_NO_LAZY_FETCH: "1",
  GIT_NO_REPLACE_OBJECTS: "1",
  GIT_OPTIONAL_LOCKS: "0",
  // Messages are matched.
  LC_ALL: "C",
};

/** What of {@link CLOSED_ENVIRONMENT} hides the caller's configuration, undone. */
const OPEN_ENVIRONMENT: NodeJS.ProcessEnv = Object.fromEntries(
  Object.keys(CLOSED_ENVIRONMENT)
    .filter((name) => name.startsWith("GIT_CONFIG_"))
    .map((name) => [name, undefined]),
);

/** The caller's variables that git needs: none of git's own. SUDO_UID names the owner whom git trusts under sudo. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const { PATH = "/usr/bin:/bin", HOME, XDG_CONFIG_HOME, SUDO_UID } = process.env;
  return { PATH: absolutePath(PATH), HOME, XDG_CONFIG_HOME, SUDO_UID };
}

export function interrupted(): TgoError {
  return new TgoError("INTERRUPTED", "interrupted by the user");
}
