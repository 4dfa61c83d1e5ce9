import type { Client, File, Service as DaggerService } from "@dagger.io/dagger";
import { Bases, type BasesOptions } from "@tgo/builders";
import {
  applyOverride,
  parseBaseLock,
  parseOverrideFile,
  parsePlatform,
  selectPlatforms,
  withFlags,
  type Catalog,
  type Pins,
} from "@tgo/catalog";
import { formatEvent, Progress, type ProgressListener } from "@tgo/progress";
import { type Connections, connectTargets, localService, type PublishContext } from "@tgo/publishing";
import { baseLookUp, type BaseLookUp } from "./base-look-up.js";
import { commandStart } from "./commands.js";
import type { HostOptions } from "./host.js";
import { imageRegistries } from "./image-registries.js";
import type { Options, Product } from "./options.js";
import { redactionOf, type Clean } from "./redaction.js";

/** What every function needs; created once per call. */
export interface Context extends PublishContext {
  readonly host: HostOptions;
  /** Asks the registry of a base image what an address is now. */
  readonly lookUpBase: BaseLookUp;
  /** Hash of the pipelines' own code. */
  readonly pipeline: string;
  /** Masks credentials, in everything that a module shows. */
  readonly clean: Clean;
  /** The start of a command line that calls a function with these options: `dagger call --catalog ...`. */
  readonly command: string;
}

/**
 * Reads and checks all options before anything is built.
 * @throws TgoError CATALOG, USAGE
 */
export async function createContext(
  client: Client,
  product: Product,
  options: Options,
  host: HostOptions = {},
): Promise<Context> {
  const [catalog, pins, clean] = await Promise.all([
    loadCatalog(product.catalog, options),
    loadPins(product, options.baseLock),
    redactionOf(options, host),
  ]);
  const platforms = selectPlatforms(catalog, options.platform);
  const { signal } = host;
  const progress = openProgress(host, clean);
  const connections = { client, ...connectionOptions(options, host, progress) };
  const lookUpBase = baseLookUp(connections);
  const [native, engine, targets] = await Promise.all([
    client.defaultPlatform().then(parsePlatform),
    host.engine ?? client.version().then((text) => `Dagger engine ${text}`),
    connectTargets(catalog, connections),
  ]);
  const command = await commandStart(options, host);
  return {
    client,
    catalog,
    pins,
    lookUpBase,
    bases: new Bases(basesOptions({ client, native, catalog, pins, host, lookUpBase })),
    platforms,
    targets,
    progress,
    signal,
    pipeline: product.pipeline,
    clean,
    command,
    buildHash: product.buildHash,
    native,
    engine,
    host,
    caBundle: options.caBundle,
    secrets: { netrc: options.netrc, npmrc: options.npmrc, build: options.buildSecrets },
    repos: options.repos,
  };
}

/** How registries are reached: through services of the caller or directly, and with whose credentials. */
export function connectionOptions(
  options: Options,
  host: HostOptions,
  progress: Progress,
): Omit<Connections, "client"> {
  return {
    progress,
    signal: host.signal,
    local: host.local ?? false,
    registryService: options.registryService ?? [],
    dockerConfig: options.dockerConfig,
    logins: options.logins ?? [],
    credentials: host.credentials,
  };
}

/** Progress as the host shows it; in a module's container, lines on stderr. */
export function openProgress({ progress, signal }: HostOptions, clean: Clean): Progress {
  const print: ProgressListener = (event) => {
    // A log cannot take a line back, and there are many updates.
    if (event.kind !== "update") console.error(clean(formatEvent(event)));
  };
  return new Progress(progress ?? print, undefined, signal);
}

export function basesOptions(
  context: Pick<Context, "client" | "native" | "catalog" | "pins" | "host" | "lookUpBase">,
): BasesOptions {
  const { client, native, catalog, pins, host, lookUpBase: lookUp } = context;
  const service = (address: string): DaggerService | undefined =>
    host.local === true ? localService(client, address) : undefined;
  return { client, native, mirrors: catalog.mirrors.images, pins, service, lookUp };
}

/** Digests that base images are pinned to: the built-in lock, overridden by the caller's. */
export async function loadPins(product: Product, file: File | undefined): Promise<Pins> {
  return { ...product.bases?.bases, ...(file === undefined ? {} : await readBaseLock(file)) };
}

/** @throws TgoError CATALOG */
export async function readBaseLock(file: File): Promise<Pins> {
  const [name, text] = await Promise.all([file.name(), file.contents()]);
  return parseBaseLock(text, name).bases;
}

/** The built-in catalog, overridden by the caller's file and the `--registry` and `--mirror` flags. */
export async function loadCatalog(
  builtIn: unknown,
  options: Pick<Options, "catalog" | "registry" | "mirror" | "repositories">,
): Promise<Catalog> {
  const file = options.catalog;
  const name = file === undefined ? undefined : await file.name();
  const override =
    file === undefined || name === undefined ? undefined : parseOverrideFile(await file.contents(), name);
  const { mirror, registry, repositories } = options;
  const catalog = applyOverride(builtIn, override, name);
  if (repositories === undefined) return withFlags(catalog, { mirror, registry });
  return { ...withFlags(catalog, { mirror }), registries: imageRegistries(repositories) };
}
