import { TgoError } from "@tgo/errors";
import { connectHosts } from "@tgo/publishing";
import { formatReference, parseReference, Registry, type Reference } from "@tgo/registry";
import { defined } from "@tgo/report";
import type { Call } from "./call.js";
import { commandStart } from "./commands.js";
import { connectionOptions, loadCatalog, loadPins, openProgress, type Context } from "./context.js";
import { redactionOf } from "./redaction.js";

/** An image that the caller named, and the registry that has it. */
export interface NamedImage {
  readonly reference: Reference;
  /** The reference in full: Docker's short names with host and `library/`. */
  readonly text: string;
  /** What a registry is asked for: the tag, else the digest; `latest` where the reference has neither. */
  readonly wanted: string;
  readonly registry: Registry;
}

/** What functions on any image need: registries, no engine. */
export interface ReferenceContext extends Pick<
  Context,
  "pins" | "progress" | "signal" | "pipeline" | "clean" | "command" | "host"
> {
  /** In the caller's order, each once. */
  readonly images: readonly NamedImage[];
  /** As the caller gave them, in order. */
  readonly references: readonly Reference[];
  /** The image under another reference, in a registry that is connected like the others. */
  readonly named: (reference: Reference) => NamedImage;
}

/**
 * Parses references and connects to their registries; contacts none.
 * @param texts what the caller named
 * @param others further references of the call, such as targets: they are connected, but not listed in `images`
 * @throws TgoError USAGE, CATALOG
 */
export async function openReferences(
  { product, options, host }: Call,
  texts: readonly string[],
  others: readonly string[] = [],
): Promise<ReferenceContext> {
  await refuseServices({ product, options }, texts);
  const references = texts.map(parseReference);
  const hosts = [...new Set([...references, ...others.map(parseReference)].map((each) => each.host))];
  const [pins, clean, command, listed] = await Promise.all([
    loadPins(product, options.baseLock),
    redactionOf(options, host),
    commandStart(options, host),
    registryHosts({ product, options }, hosts),
  ]);
  const progress = openProgress(host, clean);
  const { signal } = host;
  const connected = await connectHosts(
    listed.map((each) => ({ name: each, host: each })),
    connectionOptions(options, host, progress),
  );
  const clients = new Map(
    connected.map(({ options: of, credentials }) => [
      of.host,
      new Registry({ ...of, ...defined({ credentials }) }),
    ]),
  );
  const named = (reference: Reference): NamedImage => {
    const registry = clients.get(reference.host);
    if (registry === undefined) throw new TgoError("INTERNAL", `${reference.host} is not connected`);
    const { tag, digest } = reference;
    return { reference, text: formatReference(reference), wanted: tag ?? digest ?? "latest", registry };
  };
  const images = [...new Map(references.map((each) => [formatReference(each), named(each)])).values()];
  return {
    pins,
    progress,
    signal,
    pipeline: product.pipeline,
    clean,
    command,
    host,
    images,
    references,
    named,
  };
}

/** @throws TgoError USAGE when a function on images got none */
export function requireReferences(command: string, texts: readonly string[]): void {
  if (texts.length > 0) return;
  throw new TgoError("USAGE", `${command} needs the reference of an image`, {
    remedy: `For example: tgo ${command} ghcr.io/tgoai/tgo-deploy/tgo-api:latest.`,
  });
}

/**
 * A bare word is an image of Docker Hub, and never what somebody means who types the name of a service.
 * @throws TgoError USAGE naming the service's images
 */
async function refuseServices(
  { product, options }: Pick<Call, "product" | "options">,
  texts: readonly string[],
): Promise<void> {
  if (!texts.some((text) => /^[a-z0-9-]+$/.test(text))) return;
  const { services, registries } = await loadCatalog(product.catalog, options);
  const service = texts.find((text) => Object.hasOwn(services, text));
  if (service === undefined) return;
  const images = Object.values(registries).map(
    ({ host, repository }) => `${host}/${repository.replaceAll("{service}", service)}`,
  );
  throw new TgoError("USAGE", `"${service}" is a service, not the reference of an image`, {
    remedy:
      `Its images: ${images.join(", ")}. A function that takes services has --service ${service}; ` +
      `an image of Docker Hub's own is docker.io/library/${service}.`,
  });
}

/**
 * Hosts in the order of --registry-service, which is the catalog's as in every other function: by the order of the
 * references alone, a connection would lead to another registry where the caller names them in another order.
 */
async function registryHosts(
  { product, options }: Pick<Call, "product" | "options">,
  hosts: readonly string[],
): Promise<string[]> {
  const { catalog, registry = [], registryService = [] } = options;
  const isOrdered = registry.length > 0 || (catalog !== undefined && registryService.length > 0);
  if (!isOrdered) return [...hosts];
  const { registries } = await loadCatalog(product.catalog, options);
  return [...new Set([...Object.values(registries).map(({ host }) => host), ...hosts])];
}
