import type { Client, Secret, Service as DaggerService } from "@dagger.io/dagger";
import type { Catalog } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import {
  isLoopback,
  keychain,
  parseDockerConfig,
  Registry as RegistryClient,
  type Credentials,
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
  /** Credentials by registry host, used when no docker config is given. */
  readonly credentials: ((host: string) => Promise<Credentials | undefined>) | undefined;
}

/** @throws TgoError USAGE for more connections than registries, or a malformed docker config */
export async function connectTargets(catalog: Catalog, connections: Connections): Promise<Target[]> {
  const credentialsOf = await credentialSource(connections);
  const { client, progress, signal, local, registryService: services } = connections;
  const entries = Object.entries(catalog.registries);
  if (services.length > entries.length) {
    throw new TgoError("USAGE", `${services.length} --registry-service for ${entries.length} registries`, {
      remedy: "Give one --registry-service for each --registry, in the same order.",
    });
  }
  return Promise.all(
    entries.map(async ([name, registry], index) => {
      const service = services[index];
      const url = service === undefined ? undefined : await endpoint(service, registry.host);
      const credentials = await credentialsOf(registry.host);
      const onRetry = retryProgress(progress, name);
      const fetch =
        local || service !== undefined || !isLoopback(registry.host)
          ? undefined
          : noConnection(entries.map(([, { host }]) => host));
      const common = { host: registry.host, onRetry, ...defined({ url, signal, fetch }) };
      return {
        name,
        registry,
        client: new RegistryClient({ ...common, ...defined({ credentials }) }),
        anonymous: registry.public ? new RegistryClient(common) : undefined,
        credentials,
        service: service ?? (local ? localService(client, registry.host) : undefined),
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

async function credentialSource({
  dockerConfig,
  credentials,
}: Pick<Connections, "dockerConfig" | "credentials">): Promise<
  (host: string) => Promise<Credentials | undefined>
> {
  const none = (): Promise<undefined> => Promise.resolve(undefined);
  if (dockerConfig === undefined) return credentials ?? none;
  return keychain(parseDockerConfig(await dockerConfig.plaintext()));
}
