import { TgoError } from "@tgo/errors";
import { execFile } from "node:child_process";
import type { EngineSetting } from "./settings.js";

export interface EngineChoice {
  readonly engine: "dagger" | "buildah";
  /** Why, in words that follow "because". */
  readonly why: string;
}

/** An engine that is ready for a session. */
export interface OpenEngine {
  /** For the report; undefined when the engine is to be asked. */
  readonly name: string | undefined;
  readonly close: () => Promise<void>;
}

const DOCKER_ANSWERS_WITHIN_MS = 3000;

/** Dagger's own engine wherever it can be had, else the embedded one. */
export async function chooseEngine(
  wish: EngineSetting,
  env: Readonly<Record<string, string | undefined>>,
  dockerAnswers: () => Promise<boolean>,
): Promise<EngineChoice> {
  if (wish !== "auto") return { engine: wish, why: `--engine ${wish} was given` };
  for (const name of ["DAGGER_SESSION_PORT", "_EXPERIMENTAL_DAGGER_RUNNER_HOST"]) {
    if ((env[name] ?? "") !== "") return { engine: "dagger", why: `${name} is set` };
  }
  return (await dockerAnswers())
    ? { engine: "dagger", why: "docker answers" }
    : { engine: "buildah", why: "no Dagger engine is set and docker does not answer" };
}

export function describeEngine({ engine, why }: EngineChoice): string {
  return `${engine === "dagger" ? "Dagger's" : "the embedded one"}, because ${why}`;
}

export function dockerAnswers(): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(
      "docker",
      ["info", "--format", "{{.ServerVersion}}"],
      { timeout: DOCKER_ANSWERS_WITHIN_MS },
      (error) => {
        resolve(error === null);
      },
    );
  });
}

/** Why a session with Dagger's engine could not be opened. */
export function daggerFailure(cause: unknown): TgoError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const reason = message.replace(/^failed to execute function with automatic provisioning: /, "");
  return new TgoError("ENVIRONMENT", `Dagger's engine cannot be used: ${reason.trim().slice(0, 800)}`, {
    remedy: [
      "It needs a container runtime such as docker, and on first use a download from dl.dagger.io.",
      "A dagger command that is already here: _EXPERIMENTAL_DAGGER_CLI_BIN=/path/to/dagger",
      "Without any of it: --engine buildah",
    ].join("\n"),
    cause,
  });
}
