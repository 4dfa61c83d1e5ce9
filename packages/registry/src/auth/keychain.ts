import { TgoError } from "@tgo/errors";
import type { Credentials } from "./credentials.js";
import { canonicalHost, type DockerConfig } from "./docker-config.js";

/** The credentials for a registry, as references name it; undefined when there are none. */
export type Keychain = (host: string) => Promise<Credentials | undefined>;

/** Asks `docker-credential-<name>` for a host's credentials. */
export type CredentialHelper = (name: string, host: string) => Promise<Credentials | undefined>;

/**
 * Credentials as the docker CLI looks them up: the host's own helper, then the store, then what the file
 * holds. Asked once a host.
 * @throws TgoError UNAUTHORIZED when only a helper has them and none can be run here.
 */
export function keychain(config: DockerConfig, { helper }: { helper?: CredentialHelper } = {}): Keychain {
  const asked = new Map<string, Promise<Credentials | undefined>>();
  return (name) => {
    const host = canonicalHost(name);
    const answer = asked.get(host) ?? lookUp(config, host, helper);
    asked.set(host, answer);
    return answer;
  };
}

async function lookUp(
  config: DockerConfig,
  host: string,
  helper: CredentialHelper | undefined,
): Promise<Credentials | undefined> {
  const inFile = config.auths.get(host);
  const own = config.credHelpers.get(host);
  const name = own ?? config.credsStore;
  if (name === undefined) return inFile;
  if (helper !== undefined) return (await helper(name, host)) ?? inFile;
  if (inFile !== undefined || (own === undefined && !config.stored.has(host))) return inFile;
  throw new TgoError(
    "UNAUTHORIZED",
    `the docker config keeps the credentials in the helper "${name}", which cannot be run here`,
    {
      where: host,
      remedy: `Give a config that holds them: DOCKER_CONFIG=$(mktemp -d) docker login ${host}`,
    },
  );
}
