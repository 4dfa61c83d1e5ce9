import { isTgoError, printableText, TgoError } from "@tgo/errors";
import { Redactor } from "@tgo/redaction";
import * as v from "@tgo/schemas";
import type { Credentials } from "./credentials.js";
import { HUB_SERVER } from "./docker-config.js";
import { parseJson } from "../json.js";
import type { CredentialHelper } from "./keychain.js";

/** Runs a program with this text on its standard input. Rejects with `code: "ENOENT"` when it is not installed. */
export type Exec = (
  program: string,
  args: readonly string[],
  stdin: string,
) => Promise<{ readonly stdout: string; readonly stderr: string; readonly exitCode: number }>;

/** https://github.com/docker/docker-credential-helpers/blob/v0.9.4/credentials/credentials.go */
const HelperOutput = v.object({ Username: v.string(), Secret: v.string() });

/** With this user name, the secret is an identity token: docker/cli, docs/reference/commandline/login.md */
const TOKEN_USER = "<token>";

const NOTHING_STORED = /credentials not found|no credentials|not found in native keychain/i;

/** Docker's credential helper protocol; on the caller's machine only, as a Dagger module has no helpers to run. */
export function credentialHelper(exec: Exec): CredentialHelper {
  return async (name, host) => {
    if (!/^[\w.-]+$/.test(name)) {
      throw new TgoError("USAGE", `"${name}" in the docker config is not the name of a credential helper`);
    }
    const program = `docker-credential-${name}`;
    const { stdout, stderr, exitCode } = await run(exec, program, host);
    if (exitCode === 0) return credentialsOf(program, host, stdout);
    // Helpers print their errors on standard output, where secrets are printed too: it is compared, never shown.
    if (NOTHING_STORED.test(stdout)) return undefined;
    const said = saidOn(stderr, stdout);
    throw new TgoError(
      "ENVIRONMENT",
      `${program} failed (exit code ${exitCode})${said === "" ? "" : `: ${said}`}`,
      {
        where: host,
        remedy:
          `Run "docker login ${host}" again, or pass a docker config without that helper. ` +
          `To see what the helper says: echo ${serverOf(host)} | ${program} get`,
      },
    );
  };
}

/** Standard error on one line, without what may be a secret on standard output. */
function saidOn(stderr: string, stdout: string): string {
  const redactor = new Redactor();
  if (parseJson(stdout) !== undefined) redactor.addText(stdout);
  for (const word of stdout.split(/[\s"',:]+/)) if (/\d/.test(word)) redactor.add(word);
  return printableText(redactor.clean(stderr)).trim().replaceAll(/\s+/g, " ").slice(0, 200);
}

/** The name by which Docker keeps a registry's credentials. */
function serverOf(host: string): string {
  return host === "docker.io" ? HUB_SERVER : host;
}

async function run(exec: Exec, program: string, host: string): ReturnType<Exec> {
  try {
    return await exec(program, ["get"], serverOf(host));
  } catch (cause) {
    const remedy = "remove it from credsStore and credHelpers in the docker config and log in again.";
    // It was stopped: its message names the program.
    if (isTgoError(cause)) {
      const check = `Find out what it waits for: echo ${serverOf(host)} | ${program} get; or ${remedy}`;
      throw new TgoError(cause.code, cause.what, { where: host, remedy: check, cause });
    }
    const missing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    throw new TgoError("ENVIRONMENT", missing ? `${program} is not installed` : `${program} cannot be run`, {
      where: host,
      remedy: `Install it, or ${remedy}`,
    });
  }
}

function credentialsOf(program: string, host: string, stdout: string): Credentials | undefined {
  const output = v.outputOf(HelperOutput, parseJson(stdout));
  if (output === undefined)
    throw new TgoError("ENVIRONMENT", `${program} did not return a user name and a secret`, {
      where: host,
    });
  const { Username: username, Secret: secret } = output;
  if (secret === "") return undefined;
  return username === TOKEN_USER ? { identityToken: secret } : { username, password: secret };
}
