import { TgoError, withoutMark } from "@tgo/errors";
import * as v from "@tgo/schemas";
import type { Credentials } from "./credentials.js";
import { parseJson } from "../json.js";

/** A docker `config.json`, by the hosts that image references name ("docker.io" for Docker Hub). */
export interface DockerConfig {
  readonly auths: ReadonlyMap<string, Credentials>;
  /** Hosts with an entry but no credentials in it: those are in the credential store. */
  readonly stored: ReadonlySet<string>;
  /** The `<x>` of `docker-credential-<x>`. */
  readonly credsStore: string | undefined;
  readonly credHelpers: ReadonlyMap<string, string>;
}

/** https://github.com/docker/cli/blob/v28.5.0/cli/config/types/authconfig.go */
const Text = v.optional(v.string());
const Auth = v.object({ auth: Text, username: Text, password: Text, identitytoken: Text });

const ConfigFile = v.object({
  auths: v.nullish(v.record(v.string(), v.nullable(Auth))),
  credsStore: v.nullish(v.string()),
  credHelpers: v.nullish(v.record(v.string(), v.string())),
});

const HUB = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);

/** The key under which the docker CLI and its helpers keep Docker Hub's credentials. */
export const HUB_SERVER = "https://index.docker.io/v1/";

/**
 * Parses a docker `config.json`. Docker Hub is found under every spelling, its own key first. Keys with a path
 * do not belong to a host (podman's per-namespace entries, the CLI's `…/access-token` session) and are skipped.
 * @throws TgoError USAGE that names the entry, never its content
 */
export function parseDockerConfig(text: string): DockerConfig {
  const json = text.trim() === "" ? {} : parseJson(withoutMark(text));
  if (json === undefined) fail("it is not JSON");
  const file = v.safeParse(ConfigFile, json);
  if (!file.success) fail(file.issues.map(v.describeIssue).join("; "));

  const auths = new Map<string, Credentials>();
  const stored = new Set<string>();
  for (const [key, entry] of preferredLast(Object.entries(file.output.auths ?? {}))) {
    const host = hostOfKey(key);
    if (host === undefined) continue;
    const credentials = entry === null ? undefined : credentialsOf(key, entry);
    if (credentials === undefined) stored.add(host);
    else auths.set(host, credentials);
  }
  const credHelpers = new Map<string, string>();
  for (const [key, helper] of preferredLast(Object.entries(file.output.credHelpers ?? {}))) {
    const host = hostOfKey(key);
    if (host !== undefined && helper !== "") credHelpers.set(host, helper);
  }
  return { auths, stored, credsStore: file.output.credsStore || undefined, credHelpers };
}

/** The name that image references give this registry. */
export function canonicalHost(host: string): string {
  const lower = host.toLowerCase();
  return HUB.has(lower) ? "docker.io" : lower;
}

function hostOfKey(key: string): string | undefined {
  const [, host = "", path = ""] = /^(?:https?:\/\/)?([^/]*)(\/.*)?$/i.exec(key) ?? [];
  const isWhole = path === "" || /^\/(?:v[12]\/?)?$/.test(path);
  return isWhole && host !== "" ? canonicalHost(host) : undefined;
}

/** Of several keys for one host, the CLI's own spelling wins, then a bare host: the last in the list is kept. */
function preferredLast<T>(entries: readonly (readonly [string, T])[]): (readonly [string, T])[] {
  const rank = (key: string): number => (key === HUB_SERVER ? 2 : key.includes("/") ? 0 : 1);
  return [...entries].sort(([a], [b]) => rank(a) - rank(b));
}

function credentialsOf(key: string, entry: v.InferOutput<typeof Auth>): Credentials | undefined {
  if (entry.identitytoken) return { identityToken: entry.identitytoken };
  if (entry.username && entry.password) return { username: entry.username, password: entry.password };
  if (!entry.auth) return undefined;
  const decoded = Buffer.from(entry.auth, "base64").toString("utf8").replace(/\0+$/, "");
  const colon = decoded.indexOf(":");
  if (colon < 1) fail(`auths["${key}"].auth is not the base64 of "user:password"`);
  const password = decoded.slice(colon + 1);
  return password === "" ? undefined : { username: decoded.slice(0, colon), password };
}

function fail(why: string): never {
  throw new TgoError("USAGE", `the docker config cannot be read: ${why}`, {
    remedy: 'Pass the config.json that "docker login" writes (usually ~/.docker/config.json).',
  });
}
