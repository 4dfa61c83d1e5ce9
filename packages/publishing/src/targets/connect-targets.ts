import type { Client, Secret, Service as DaggerService } from "@dagger.io/dagger";
import type { Catalog } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { keychain, parseDockerConfig, Registry as RegistryClient, type Credentials } from "@tgo/registry";
import type { Progress } from "@tgo/progress";
import { defined } from "@tgo/report";
import type { Target } from "./target.js";
import { retryProgress } from "./retry-progress.js";

/** How the registries of a call are reached. */
export interface Connections {
  readonly client: Client;
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
  /** Whether this process runs on the caller's own machine. */
  readonly local: boolean;
  /** Connections for the registries, in their order. */
  readonly registryService: readonly DaggerService[];
  /** Docker's config.json. */
  readonly dockerConfig: Secret | undefined;
  /** Credentials by registry host, for when no docker config is given. */
  readonly credentials: ((host: string) => Promise<Credentials | undefined>) | undefined;
}

/** @throws TgoError USAGE for more connections than registries, or a malformed docker config */
export async function connectTargets(catalog: Catalog, of: Connections): Promise<Target[]> {
  const credentialsOf = await credentialSource(of);
  const services = of.registryService;
  const entries = Object.entries(catalog.registries);
  if (services.length > entries.length) {
    throw new TgoError("USAGE", `${services.length} --registry-service for ${entries.length} registries`, {
      remedy: "Give one --registry-service for each --registry, in the same order.",
    });
  }
  return Promise.all(
    entries.map(async ([name, registry], index) => {
      const given = services[index];
      const url = given === undefined ? undefined : await endpoint(given, registry.host);
      const credentials = await credentialsOf(registry.host);
      const onRetry = retryProgress(of.progress, name);
      const common = { host: registry.host, onRetry, ...defined({ url, signal: of.signal }) };
      return {
        name,
        registry,
        client: new RegistryClient({ ...common, ...defined({ credentials }) }),
        anonymous: registry.public ? new RegistryClient(common) : undefined,
        credentials,
        service: given ?? (of.local ? localService(of.client, registry.host) : undefined),
      };
    }),
  );
}

const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])(?::(\d+))?(?:\/|$)/;

/** A way for the engine to a registry on the caller's machine, when this process runs on that machine. */
export function localService(client: Client, address: string): DaggerService | undefined {
  const match = LOOPBACK.exec(address);
  if (match === null) return undefined;
  const port = Number(match[2] ?? "80");
  return client.host().service([{ frontend: port, backend: port }], { host: "localhost" });
}

/** The address decides between http and https, as it does in the engine; the service only how to connect. */
async function endpoint(service: DaggerService, host: string): Promise<string> {
  const scheme = LOOPBACK.test(host) ? "http" : "https";
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
