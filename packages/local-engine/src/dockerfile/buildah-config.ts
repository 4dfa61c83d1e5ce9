import { existsSync } from "node:fs";
import { CA_VARIABLES } from "@tgo/image";
import { urlCredentials } from "@tgo/redaction";
import { isLoopback } from "@tgo/registry";
import { CA_BUNDLE } from "../ca.js";
import { resolveIn } from "../files/paths.js";
import type { Settings } from "../settings.js";

/** The flag for a Dockerfile's own ignore file, which buildah looks for beside the Dockerfile: here that is a copy. */
export function ignoreFileArguments(folder: string, dockerfile: string): string[] {
  const path = resolveIn(folder, `${dockerfile}.dockerignore`);
  return existsSync(path) ? ["--ignorefile", path] : [];
}

/** The Dockerfile with the CA variables as build arguments of each stage: commands see them, the image's config does not. */
export function withCaArguments(text: string): string {
  const args = CA_VARIABLES.map((name) => `ARG ${name}=${CA_BUNDLE}\n`).join("");
  return text.replace(
    /(?<!\\[ \t]*\r?\n)^[ \t]*FROM[ \t].*\r?(?:\n|$)/gim,
    (line) => `${line.trimEnd()}\n${args}`,
  );
}

/** What buildah itself reads. */
const BUILDAH_VARIABLE =
  /^(?:PATH|HOME|TMPDIR|LANG|LC_\w+|SSL_CERT_\w+|(?:CONTAINERS|BUILDAH|REGISTRY|STORAGE|XDG)_\w+)$/;

/**
 * The flags for build arguments. An address with a password is passed by the environment: everybody on this machine can
 * read command lines.
 */
export function buildArguments(all: readonly { readonly name: string; readonly value: string }[]): {
  argv: string[];
  env: Record<string, string>;
} {
  const isHidden = ({ name, value }: (typeof all)[number]): boolean =>
    urlCredentials(value).length > 0 && !BUILDAH_VARIABLE.test(name);
  return {
    argv: all.flatMap((one) => ["--build-arg", isHidden(one) ? one.name : `${one.name}=${one.value}`]),
    env: Object.fromEntries(all.filter(isHidden).map(({ name, value }) => [name, value])),
  };
}

/** The credentials for every host named in the text, as `docker login` writes them. */
export async function authFile({ keychain, mirrors }: Settings, text: string): Promise<string> {
  const named = text.match(/\b[\w-]+(?:\.[\w-]+)*(?:\.[a-z]{2,}|:\d+)(?=\/)/g) ?? [];
  const mirroring = Object.values(mirrors).map((mirror) => mirror.split("/")[0] ?? "");
  const hosts = new Set(["docker.io", ...named, ...mirroring]);
  const auths: Record<string, object> = {};
  for (const host of hosts) {
    const credentials = await keychain(host);
    if (credentials === undefined) continue;
    auths[host === "docker.io" ? "https://index.docker.io/v1/" : host] =
      "identityToken" in credentials
        ? // Without a user in auth, containers/image skips the entry; the user does not count.
          { auth: Buffer.from("<token>:").toString("base64"), identitytoken: credentials.identityToken }
        : { auth: Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64") };
  }
  return JSON.stringify({ auths });
}

/**
 * buildah's storage.
 * @param root its folder
 * @param runRoot a folder that is empty after a restart of the machine
 */
export function storageConf(root: string, runRoot: string): string {
  const settings = { driver: "overlay", graphroot: root, runroot: runRoot };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  return ["[storage]", ...lines, ""].join("\n");
}

/** The registries that the build names, which may be this machine's: the mirrors, and addresses with a port. */
export function registryHosts(mirrors: Readonly<Record<string, string>>, text: string): string[] {
  const mirroring = Object.values(mirrors).map((mirror) => mirror.split("/", 1)[0] ?? "");
  const named = text.match(/(?<![\w.-])[\w.-]+:\d{1,5}(?=\/)/g) ?? [];
  return [...new Set([...mirroring, ...named])].filter((host) => URL.canParse(`https://${host}`));
}

/** The mirrors, and plain HTTP for this machine's registries, for buildah's own pulls. */
export function registriesConf(mirrors: Readonly<Record<string, string>>, text: string): string {
  const local = [...new Set(text.match(/\b(?:localhost|127\.0\.0\.1):\d+/g))];
  const isLocal = (mirror: string): boolean => isLoopback(mirror.split("/", 1)[0] ?? "");
  return [
    `unqualified-search-registries = ["docker.io"]`,
    `short-name-mode = "disabled"`,
    ...Object.entries(mirrors).map(
      ([host, mirror]) =>
        `[[registry]]\nlocation = "${host}"\n[[registry.mirror]]\nlocation = "${mirror}"\ninsecure = ${isLocal(mirror)}`,
    ),
    ...local.map((host) => `[[registry]]\nlocation = "${host}"\ninsecure = true`),
    "",
  ].join("\n");
}
