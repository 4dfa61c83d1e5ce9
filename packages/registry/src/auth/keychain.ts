import { TgoError } from "@tgo/errors";
import type { Credentials } from "./credentials.js";
import { canonicalHost, type DockerConfig } from "./docker-config.js";

/** Looks up the credentials for a registry, as references name it; undefined when there are none. */
export type Keychain = (host: string) => Promise<Credentials | undefined>;

/** Gets a host's credentials from `docker-credential-<name>`. */
export type CredentialHelper = (name: string, host: string) => Promise<Credentials | undefined>;

/**
 * Looks up credentials as the docker CLI does: the host's own helper, then the store, then the file itself.
 * Each host is looked up once.
 * @throws TgoError UNAUTHORIZED when only a helper has them and none can be run here
 */
export function keychain(config: DockerConfig, { helper }: { helper?: CredentialHelper } = {}): Keychain {
  const lookups = new Map<string, Promise<Credentials | undefined>>();
  return (name) => {
    const host = canonicalHost(name);
    const lookup = lookups.get(host) ?? lookUp(config, host, helper);
    lookups.set(host, lookup);
    return lookup;
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
      remedy: `Pass a config that contains them: DOCKER_CONFIG=$(mktemp -d) docker login ${host}`,
    },
  );
}
