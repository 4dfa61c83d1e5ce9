import { TgoError } from "@tgo/errors";
import { runProgram } from "@tgo/host";
import type { EngineSetting } from "./settings.js";

export interface EngineChoice {
  readonly engine: "dagger" | "local";
  /** The reason, worded to follow "because". */
  readonly why: string;
}

const DOCKER_TIMEOUT_MS = 3000;

/** Dagger's own engine wherever it is available, else the local engine. */
export async function chooseEngine(
  setting: EngineSetting,
  env: Readonly<Record<string, string | undefined>>,
  isDockerRunning: () => Promise<boolean>,
): Promise<EngineChoice> {
  if (setting !== "auto")
    return { engine: setting === "dagger" ? "dagger" : "local", why: `--engine ${setting} was given` };
  for (const name of ["DAGGER_SESSION_PORT", "_EXPERIMENTAL_DAGGER_RUNNER_HOST"]) {
    if ((env[name] ?? "") !== "") return { engine: "dagger", why: `${name} is set` };
  }
  return (await isDockerRunning())
    ? { engine: "dagger", why: "Docker is running" }
    : { engine: "local", why: "no Dagger engine is configured and Docker is not running" };
}

export function describeEngine({ engine, why }: EngineChoice): string {
  return `${engine === "dagger" ? "Dagger's engine" : "the local engine"}, because ${why}`;
}

export function isDockerRunning(): Promise<boolean> {
  const args = ["info", "--format", "{{.ServerVersion}}"];
  return runProgram("docker", { args, env: process.env, timeoutMs: DOCKER_TIMEOUT_MS }).then(
    ({ exitCode }) => exitCode === 0,
    () => false,
  );
}

/**
 * Why a session could not be opened: the SDK's error, or what the dagger command ended with, of which the SDK says nothing.
 * @param printed its last lines
 */
export function sessionProblem(cause: unknown, printed: readonly string[]): string {
  const said = printed.findLast((line) => line.startsWith("Error: "))?.slice("Error: ".length);
  const message = said ?? (cause instanceof Error ? cause.message : String(cause));
  const reason = message.replace(/^failed to execute function with automatic provisioning: /, "");
  return reason.trim().slice(0, 800);
}

/** The error for a session with Dagger's engine that could not be opened. */
export function daggerFailure(cause: unknown, printed: readonly string[]): TgoError {
  return new TgoError("ENVIRONMENT", `Dagger's engine cannot be used: ${sessionProblem(cause, printed)}`, {
    remedy: [
      "It needs a container runtime such as Docker and, on first use, a download from dl.dagger.io.",
      "To use an installed dagger command: _EXPERIMENTAL_DAGGER_CLI_BIN=/path/to/dagger",
      "To run without Dagger's engine: --engine local",
    ].join("\n"),
    cause,
  });
}
