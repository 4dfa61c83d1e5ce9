import type { Client, Container, Directory, File, Secret, Service as DaggerService } from "@dagger.io/dagger";
import {
  applyOverride,
  parseBaseLock,
  parseOverrideFile,
  parsePlatform,
  parseRegistryFlag,
  registryRepository,
  selectPlatforms,
  withMirrorFlags,
  type BaseImage,
  type BaseLock,
  type Catalog,
  type Pins,
  type Platform,
  type Registry,
} from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { keychain, parseDockerConfig, Registry as RegistryClient, type Credentials } from "@tgo/oci";
import { Bases, type BasesOptions } from "./bases.js";
import { getHost } from "./host.js";
import { formatEvent, Progress } from "./progress.js";
import { tellWaits } from "./waits.js";

/** A registry of the catalog and the way to it. */
export interface Target {
  readonly name: string;
  readonly registry: Registry;
  readonly client: RegistryClient;
  /** The same registry as everybody sees it; present when the catalog says it is public. */
  readonly anonymous: RegistryClient | undefined;
  readonly credentials: Credentials | undefined;
  /** How the engine connects, for a registry that its own network does not reach. */
  readonly service: DaggerService | undefined;
}

/** What every stage needs to know; made once a call. */
export interface Context {
  readonly client: Client;
  readonly catalog: Catalog;
  /** Digests that base images are pinned to. */
  readonly pins: Pins;
  readonly bases: Bases;
  readonly platforms: readonly Platform[];
  readonly targets: readonly Target[];
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
  /** Hash of the pipelines' own code. */
  readonly pipeline: string;
  /** The engine's own platform: whatever runs there runs natively. */
  readonly native: Platform;
  readonly engine: string;
  readonly caBundle: File | undefined;
  readonly secrets: BuildSecrets;
  /** A repository with repos/<service> in it, for services whose source is not given. */
  readonly repos: Directory | undefined;
}

/** Credentials that build steps need; mounted where they are used, never in a layer. */
export interface BuildSecrets {
  /** For Python package indexes and git: `machine HOST login NAME password WORD` lines. */
  readonly netrc: Secret | undefined;
  /** For npm registries: `//registry.example.com/:_authToken=...` lines, as in a user's .npmrc. */
  readonly npmrc: Secret | undefined;
  /** NAME=value lines: those a Dockerfile service declares are mounted at /run/secrets/NAME. */
  readonly build: Secret | undefined;
}

/** The constructor arguments of the module, as they arrive. */
export interface Options {
  readonly catalog?: File | undefined;
  readonly registry?: readonly string[] | undefined;
  readonly registryService?: readonly DaggerService[] | undefined;
  readonly platform?: readonly string[] | undefined;
  readonly baseLock?: File | undefined;
  readonly mirror?: readonly string[] | undefined;
  readonly dockerConfig?: Secret | undefined;
  readonly caBundle?: File | undefined;
  readonly netrc?: Secret | undefined;
  readonly npmrc?: Secret | undefined;
  readonly buildSecrets?: Secret | undefined;
  readonly repos?: Directory | undefined;
}

/** What is compiled into the bundle. */
export interface Product {
  /** The built-in catalog, as data. */
  readonly catalog: unknown;
  /** The built-in base lock. */
  readonly bases?: BaseLock | undefined;
  readonly pipeline: string;
}

/**
 * Reads and checks everything the caller gave, before anything is built.
 * @throws TgoError CATALOG, USAGE
 */
export async function createContext(client: Client, product: Product, options: Options): Promise<Context> {
  const host = getHost();
  const [catalog, pins] = await Promise.all([
    loadCatalog(product.catalog, options),
    loadPins(product, options.baseLock),
  ]);
  const platforms = selectPlatforms(catalog, options.platform);
  const progress = new Progress(
    host.progress ??
      ((event) => {
        console.error(formatEvent(event));
      }),
    undefined,
    host.signal,
  );
  const [native, version, targets] = await Promise.all([
    client.defaultPlatform().then(parsePlatform),
    host.engine ?? client.version().then((text) => `Dagger engine ${text}`),
    connectTargets(client, catalog, options, progress),
  ]);
  return {
    client,
    catalog,
    pins,
    bases: new Bases(basesOptions({ client, native, catalog, pins })),
    platforms,
    targets,
    progress,
    signal: host.signal,
    pipeline: product.pipeline,
    native,
    engine: version,
    caBundle: options.caBundle,
    secrets: { netrc: options.netrc, npmrc: options.npmrc, build: options.buildSecrets },
    repos: options.repos,
  };
}

export function basesOptions(context: Pick<Context, "client" | "native" | "catalog" | "pins">): BasesOptions {
  const { client, native, catalog, pins } = context;
  const service = (address: string): DaggerService | undefined => localService(client, address);
  return { client, native, mirrors: catalog.mirrors.images, pins, service };
}

/** The digests that base images are pinned to: the built-in lock's under the caller's. */
export async function loadPins(product: Product, file: File | undefined): Promise<Pins> {
  return { ...product.bases?.bases, ...(file === undefined ? {} : await readBaseLock(file)) };
}

/** @throws TgoError CATALOG */
export async function readBaseLock(file: File): Promise<Pins> {
  const [name, text] = await Promise.all([file.name(), file.contents()]);
  return parseBaseLock(text, name).bases;
}

/** The built-in catalog under the caller's override file, `--registry` and `--mirror` flags. */
export async function loadCatalog(
  builtIn: unknown,
  options: Pick<Options, "catalog" | "registry" | "mirror">,
): Promise<Catalog> {
  const file = options.catalog;
  const name = file === undefined ? undefined : await file.name();
  const override =
    file === undefined || name === undefined ? undefined : parseOverrideFile(await file.contents(), name);
  const overridden = applyOverride(builtIn, override, name);
  const catalog = { ...overridden, mirrors: withMirrorFlags(overridden.mirrors, options.mirror ?? []) };
  if (options.registry === undefined || options.registry.length === 0) return catalog;
  const given = options.registry.map((text) => parseRegistryFlag(text, catalog.registries));
  return { ...catalog, registries: Object.fromEntries(given.map(({ name, registry }) => [name, registry])) };
}

async function connectTargets(
  client: Client,
  catalog: Catalog,
  options: Options,
  progress: Progress,
): Promise<Target[]> {
  const credentialsOf = await credentialSource(options);
  const services = options.registryService ?? [];
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
      const onRetry = tellWaits(progress, name);
      const common = { host: registry.host, url, signal: getHost().signal, onRetry };
      return {
        name,
        registry,
        client: new RegistryClient({ ...common, credentials }),
        anonymous: registry.public ? new RegistryClient(common) : undefined,
        credentials,
        service: given ?? localService(client, registry.host),
      };
    }),
  );
}

const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])(?::(\d+))?(?:\/|$)/;

/** A way for the engine to a registry of the user's machine, when this process is on that machine. */
function localService(client: Client, address: string): DaggerService | undefined {
  const match = LOOPBACK.exec(address);
  if (match === null || getHost().local !== true) return undefined;
  const port = Number(match[2] ?? "80");
  return client.host().service([{ frontend: port, backend: port }], { host: "localhost" });
}

/** The address decides between http and https, as it does in the engine; the service only how to connect. */
async function endpoint(service: DaggerService, host: string): Promise<string> {
  const scheme = LOOPBACK.test(host) ? "http" : "https";
  await service.start();
  return service.endpoint({ scheme });
}

async function credentialSource(
  options: Options,
): Promise<(host: string) => Promise<Credentials | undefined>> {
  const none = (): Promise<undefined> => Promise.resolve(undefined);
  if (options.dockerConfig === undefined) return getHost().credentials ?? none;
  return keychain(parseDockerConfig(await options.dockerConfig.plaintext()));
}

/** `host/repository:tag` of a service in a registry. */
export function referenceOf(target: Target, service: string, tag: string): string {
  const { host, repository } = registryRepository(target.registry, service);
  return `${host}/${repository}:${tag}`;
}

export function repositoryOf(target: Target, service: string): string {
  return registryRepository(target.registry, service).repository;
}

/**
 * A base image for a platform: by the lock's digest, from its mirror when there is one.
 * @throws TgoError SOURCE when it cannot be pulled, or has no such platform
 */
export function baseImage(context: Context, reference: BaseImage, platform: Platform): Promise<Container> {
  return context.bases.container(reference, platform);
}

/** A container whose tools trust the company's CA, for build steps only: nothing of it reaches an image. */
export function trusting(context: Context, container: Container): Container {
  if (context.caBundle === undefined) return container;
  const path = "/run/tgo/ca-bundle.pem";
  const variables = [
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "PIP_CERT",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
  ];
  return variables.reduce(
    (result, name) => result.withEnvVariable(name, path),
    container.withMountedFile(path, context.caBundle),
  );
}
