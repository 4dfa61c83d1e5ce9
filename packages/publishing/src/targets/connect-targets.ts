import type { Client, Secret, Service as DaggerService } from "@dagger.io/dagger";
import type { Catalog } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import {
  canonicalHost,
  isLoopback,
  keychain,
  parseDockerConfig,
  Registry as RegistryClient,
  type Credentials,
  type RegistryOptions,
} from "@tgo/registry";
import type { Progress } from "@tgo/progress";
import { defined } from "@tgo/report";
import type { Target } from "./target.js";
import { retryProgress } from "./retry-progress.js";

/** How to connect to the registries of a call. */
export interface Connections {
  readonly client: Client;
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
  /** Whether this process runs on the caller's own machine. */
  readonly local: boolean;
  /** Connections to the registries, in the order of the catalog. */
  readonly registryService: readonly DaggerService[];
  /** Docker's config.json. */
  readonly dockerConfig: Secret | undefined;
  /** Credentials by registry host, in place of all others for it. */
  readonly logins?: readonly {
    readonly host: string;
    readonly username: string;
    readonly password: Secret;
  }[];
  /** Credentials by registry host, used when no docker config is given. */
  readonly credentials: ((host: string) => Promise<Credentials | undefined>) | undefined;
}

/** @throws TgoError USAGE for more connections than registries, or a malformed docker config */
export async function connectTargets(catalog: Catalog, connections: Connections): Promise<Target[]> {
  const { client, local } = connections;
  const entries = Object.entries(catalog.registries).map(([name, registry]) => ({ name, registry }));
  const hosts = entries.map(({ name, registry: { host } }) => ({ name, host }));
  const connected = await connectHosts(hosts, connections);
  return entries.map(({ name, registry }, index) => {
    const { options, credentials, service } = connected[index] ?? {};
    if (options === undefined) throw new TgoError("INTERNAL", `the registry ${name} is not connected`);
    return {
      name,
      registry,
      client: new RegistryClient({ ...options, ...defined({ credentials }) }),
      anonymous: registry.public ? new RegistryClient(options) : undefined,
      credentials,
      service: service ?? (local ? localService(client, registry.host) : undefined),
    };
  });
}

/** A registry as its client is made. */
export interface ConnectedHost {
  /** Without credentials. */
  readonly options: RegistryOptions;
  readonly credentials: Credentials | undefined;
  /** The caller's connection to it. */
  readonly service: DaggerService | undefined;
}

/**
 * Connections and credentials of registries, in their order.
 * @param hosts `name` is shown in progress
 * @throws TgoError USAGE for more connections than registries, or a malformed docker config
 */
export async function connectHosts(
  hosts: readonly { readonly name: string; readonly host: string }[],
  connections: Omit<Connections, "client">,
): Promise<ConnectedHost[]> {
  const credentialsOf = await credentialSource(connections);
  const { progress, signal, local, registryService: services } = connections;
  if (services.length > hosts.length) {
    throw new TgoError("USAGE", `${services.length} --registry-service for ${hosts.length} registries`, {
      remedy: "Give one --registry-service for each --registry, in the same order.",
    });
  }
  return Promise.all(
    hosts.map(async ({ name, host }, index) => {
      const service = services[index];
      const url = service === undefined ? undefined : await endpoint(service, host);
      const onRetry = retryProgress(progress, name);
      const fetch =
        local || service !== undefined || !isLoopback(host)
          ? undefined
          : noConnection(hosts.map((each) => each.host));
      return {
        options: { host, onRetry, ...defined({ url, signal, fetch }) },
        credentials: await credentialsOf(host),
        service,
      };
    }),
  );
}

/**
 * In a Dagger module, localhost is the module's own container: nothing listens there, and the caller has to lend the
 * module connections to the registries on this list.
 */
function noConnection(hosts: readonly string[]): typeof fetch {
  const last = hosts.map((host) => isLoopback(host)).lastIndexOf(true);
  const flags = hosts.slice(0, last + 1).map((host) => `--registry-service ${serviceAddress(host)}`);
  const error = new TgoError("USAGE", "localhost is the module's own container here, not your machine", {
    remedy: `Before the function's name, give a connection for each registry, in this order:\n${flags.join(" ")}`,
  });
  return () => Promise.reject(error);
}

/** The address of a registry as `--registry-service` takes it. */
export function serviceAddress(host: string): string {
  const hasPort = /:\d+$/.test(host);
  return `tcp://${hasPort ? host : `${host}:${isLoopback(host) ? 80 : 443}`}`;
}

/** Connects the engine to a registry on the caller's machine, if this process runs there too. */
export function localService(client: Client, address: string): DaggerService | undefined {
  const [registry = ""] = address.split("/");
  if (!isLoopback(registry)) return undefined;
  const { hostname, port: given } = new URL(`http://${registry}`);
  const port = Number(given || "80");
  // "localhost" covers 127.0.0.1 and ::1.
  const host = hostname.startsWith("127.") && hostname !== "127.0.0.1" ? hostname : "localhost";
  return client.host().service([{ frontend: port, backend: port }], { host });
}

/** The address decides between http and https, as in the engine; the service is only the connection. */
async function endpoint(service: DaggerService, host: string): Promise<string> {
  const scheme = isLoopback(host) ? "http" : "https";
  await service.start();
  return service.endpoint({ scheme });
}

type CredentialSource = (host: string) => Promise<Credentials | undefined>;

async function credentialSource({
  dockerConfig,
  logins = [],
  credentials = () => Promise.resolve(undefined),
}: Pick<Connections, "dockerConfig" | "logins" | "credentials">): Promise<CredentialSource> {
  const [given, others] = await Promise.all([
    Promise.all(
      logins.map(async ({ host, username, password }): Promise<[string, Credentials]> => [
        canonicalHost(host),
        { username, password: await password.plaintext() },
      ]),
    ).then((pairs) => new Map(pairs)),
    dockerConfig === undefined
      ? credentials
      : dockerConfig.plaintext().then((text): CredentialSource => keychain(parseDockerConfig(text))),
  ]);
  return async (host) => given.get(canonicalHost(host)) ?? (await others(host));
}
