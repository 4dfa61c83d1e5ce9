import { isTgoError, TgoError } from "@tgo/errors";
import { credentialHelper, keychain, parseDockerConfig, type Credentials } from "@tgo/registry";
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Redaction } from "./redaction.js";

/** The credentials for a registry by its host; undefined: ask anonymously. */
export type CredentialSource = (host: string) => Promise<Credentials | undefined>;

/** The docker config a person's own docker command reads, or undefined when there is none. */
export async function readDefaultDockerConfig(
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): Promise<{ path: string; text: string } | undefined> {
  const path = join(env.DOCKER_CONFIG ?? join(home, ".docker"), "config.json");
  try {
    return { path, text: await readFile(path, "utf8") };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new TgoError("ENVIRONMENT", "the docker config cannot be read", {
      where: path,
      remedy: "Check its permissions, or name another one with --docker-config.",
      cause: error,
    });
  }
}

/** Whether credentials of this config are kept by programs that only this machine can run. */
export function needsHelpers(text: string): boolean {
  const { credsStore, credHelpers } = parseDockerConfig(text);
  return credsStore !== undefined || credHelpers.size > 0;
}

/** Looks credentials up as docker does, helpers included, only for the registries that are asked for. */
export function hostCredentials(
  { path, text }: { path: string; text: string },
  env: Readonly<Record<string, string | undefined>>,
  redaction: Redaction,
): CredentialSource {
  redaction.addText(text);
  const look = keychain(parsed(path, text), { helper: credentialHelper(execWith(env)) });
  return async (host) => {
    const credentials = await look(host);
    if (credentials !== undefined) {
      redaction.add("password" in credentials ? credentials.password : credentials.identityToken);
    }
    return credentials;
  };
}

function parsed(path: string, text: string): ReturnType<typeof parseDockerConfig> {
  try {
    return parseDockerConfig(text);
  } catch (error) {
    if (!isTgoError(error)) throw error;
    throw new TgoError(error.code, error.what, { where: path, remedy: error.remedy, cause: error });
  }
}

function execWith(env: Readonly<Record<string, string | undefined>>): Parameters<typeof credentialHelper>[0] {
  return (program, args, stdin) =>
    new Promise((resolve, reject) => {
      const child = spawn(program, args, { env: { ...env }, stdio: "pipe" });
      const stdout: Buffer[] = [];
      const stderr: Buffer[] = [];
      child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
      child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
      child.on("error", reject);
      // A helper that does not read its input is no failure; its exit code tells.
      child.stdin.on("error", () => undefined);
      child.on("close", (code) => {
        resolve({
          stdout: Buffer.concat(stdout).toString("utf8"),
          stderr: Buffer.concat(stderr).toString("utf8"),
          exitCode: code ?? 1,
        });
      });
      child.stdin.end(stdin);
    });
}
