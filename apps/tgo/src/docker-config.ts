import { isTgoError, problemOf, TgoError } from "@tgo/errors";
import { dockerConfigFolder, readInputFile, readReason, runProgram } from "@tgo/host";
import { credentialHelper, keychain, parseDockerConfig, type Credentials } from "@tgo/registry";
import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import type { Redactor } from "@tgo/redaction";

/** The credentials for a registry by its host; undefined: ask anonymously. */
export type CredentialSource = (host: string) => Promise<Credentials | undefined>;

/** The Docker config that the caller's docker command reads; undefined if there is none, or it is another user's. */
export async function readDefaultDockerConfig(
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): Promise<{ path: string; text: string } | undefined> {
  const path = join(dockerConfigFolder(env, home), "config.json");
  try {
    const { bytes } = await readInputFile(path);
    return { path, text: bytes.toString() };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (code === "EACCES" && !isSet(env.DOCKER_CONFIG) && !(await isOwn(home))) return undefined;
    throw new TgoError("ENVIRONMENT", `the Docker config cannot be read: ${readReason(error)}`, {
      where: path,
      remedy: "Check its permissions, or name another file with --docker-config.",
      cause: error,
    });
  }
}

/** Whether a home folder is the user's who runs this: `setpriv`, and `su` without `-`, keep the home of the one before. */
function isOwn(home: string): Promise<boolean> {
  return access(home, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function isSet(variable: string | undefined): boolean {
  return variable !== undefined && variable !== "";
}

/** Whether the config keeps credentials in helper programs, which only this machine can run. */
export function needsHelpers(text: string): boolean {
  const { credsStore, credHelpers } = parseDockerConfig(text);
  return credsStore !== undefined || credHelpers.size > 0;
}

/** Looks up credentials as docker does, including helpers, only for the registries that need them. */
export function hostCredentials(
  { path, text }: { path: string; text: string },
  env: Readonly<Record<string, string | undefined>>,
  redaction: Redactor,
): CredentialSource {
  redaction.addText(text);
  const lookUp = keychain(parsed(path, text), { helper: credentialHelper(execWith(env)) });
  return async (host) => {
    const credentials = await lookUp(host);
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
    throw new TgoError(error.code, error.what, { ...problemOf(error), where: path, cause: error });
  }
}

function execWith(env: Readonly<Record<string, string | undefined>>): Parameters<typeof credentialHelper>[0] {
  return (program, args, input) => runProgram(program, { args, env, input, maxBytes: 1 << 20 });
}
