import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import {
  Registry,
  canonicalHost,
  formatReference,
  isIndex,
  isLoopback,
  parseConfig,
  parseManifestOrIndex,
  parseReference,
  type Credentials,
  type Manifest,
  type Reference,
} from "@tgo/registry";
import { platformOf, readBlob } from "@tgo/image";
import { TgoError } from "@tgo/errors";
import type { Context } from "../context.js";
import { withEvents } from "../events.js";
import { lazy, type Lazy } from "../lazy.js";
import { SingleFlight } from "../single-flight.js";
import type { RegistryAuth, ServiceState } from "../state.js";
import { keyOf } from "../store/keys.js";
import { EMPTY, type Snapshot } from "../store/snapshot.js";
import { imageOf, type Image, type Platform } from "./image.js";
import { snapshotOf, type LayerBlob } from "./layers.js";

/** How a container reaches a registry. */
export interface Route {
  readonly auth: readonly RegistryAuth[];
  /** Connects there instead; the host's name still decides between http and https. */
  readonly service: ServiceState | undefined;
}

/** Images from registries, as snapshots. Each tag is resolved once per engine. */
export class Images {
  /** By host, address and credentials: what one request learns of the login counts for the next. */
  readonly #registries = new Map<string, Registry>();
  readonly #resolved = new Map<string, Promise<string>>();
  readonly #pulls = new Map<string, Promise<Pulled>>();
  readonly #blobs = new SingleFlight<void>();

  constructor(private readonly cx: Context) {}

  /** @throws TgoError from the registry client; NOT_FOUND if the image lacks the platform */
  async pull(address: string, platform: Platform, { auth, service }: Route): Promise<Pulled> {
    const given = parseReference(address);
    const reference =
      given.tag === undefined && given.digest === undefined ? { ...given, tag: "latest" } : given;
    const { host } = reference;
    const mirror = service === undefined ? this.cx.settings.mirrors[host] : undefined;
    const [sourceHost = "", ...prefix] = (mirror ?? host).split("/");
    const repository = [...prefix, reference.repository].join("/");
    const registry = await this.registry(sourceHost, { auth, service });
    const digest = reference.digest ?? (await this.#resolve(registry, repository, reference));
    const source = { registry, repository, imageRef: formatReference({ ...reference, digest }) };
    const key = `${source.imageRef} ${platform}`;
    const known = this.#pulls.get(key);
    if (known) return known;
    const pulled = this.#pull(source, digest, platform);
    this.#pulls.set(key, pulled);
    pulled.catch(() => this.#pulls.delete(key));
    return pulled;
  }

  /** A registry client, with the container's credentials or else the keychain's. */
  async registry(host: string, { auth, service }: Route): Promise<Registry> {
    const { keychain, signal } = this.cx.settings;
    const credentials = (await authFor(host, auth)) ?? (await keychain(host));
    const url = service === undefined ? undefined : serviceUrl(host, service);
    const key = keyOf([host, url, credentials]);
    const known = this.#registries.get(key);
    if (known !== undefined) return known;
    const registry = new Registry({
      host,
      ...(url === undefined ? {} : { url }),
      ...(credentials === undefined ? {} : { credentials }),
      signal,
    });
    this.#registries.set(key, registry);
    return registry;
  }

  #resolve(registry: Registry, repository: string, reference: Reference): Promise<string> {
    const name = formatReference(reference);
    const known = this.#resolved.get(name);
    if (known) return known;
    const resolved = registry.resolve(repository, reference.tag ?? "latest").then((found) => {
      if (found) return found.digest;
      throw new TgoError("NOT_FOUND", `there is no image ${name}`, {
        where: registry.host,
        remedy: "check the name and the tag; a private image needs credentials",
      });
    });
    this.#resolved.set(name, resolved);
    // The next attempt may have other credentials.
    resolved.catch(() => this.#resolved.delete(name));
    return resolved;
  }

  /** The image's manifest and config; its layers are pulled when its files are used. */
  async #pull(source: Source, digest: string, platform: Platform): Promise<Pulled> {
    const { imageRef } = source;
    const manifest = await this.#manifest(source, digest, platform);
    const config = parseConfig(await this.#config(source, manifest.config), imageRef);
    const blobs = manifest.layers.map(({ mediaType, digest: blob, size }, index): LayerBlob => {
      const diffId = config.rootfs.diff_ids[index];
      if (diffId !== undefined) return { mediaType, digest: blob, size, diffId };
      throw new TgoError("INVALID_RESPONSE", "the image config lists fewer layers than the manifest", {
        where: imageRef,
      });
    });
    const content = lazy(() => this.#layers(source, blobs, platform));
    return { image: imageOf(config, snapshotOf(blobs), imageRef), content };
  }

  async #layers(source: Source, blobs: readonly LayerBlob[], platform: Platform): Promise<Snapshot> {
    const { store, layers, settings } = this.cx;
    const present = await Promise.all(blobs.map(({ digest }) => store.hasBlob(digest)));
    const missing = blobs.filter((_, index) => present[index] !== true);
    const event = { kind: "pull", title: source.imageRef, platform } as const;
    const unpack = async (): Promise<Snapshot> => {
      await Promise.all(missing.map((blob) => this.#fetchBlob(source, blob)));
      let fs = EMPTY;
      for (const blob of blobs) fs = await layers.unpack(fs, blob, store.blobPath(blob.digest));
      return fs;
    };
    if (missing.length > 0) return withEvents(settings.onEvent, event, unpack);
    settings.onEvent({ ...event, state: "cached" });
    return unpack();
  }

  async #manifest(source: Source, digest: string, platform: Platform, isNested = false): Promise<Manifest> {
    const { store } = this.cx;
    if (!(await store.hasBlob(digest))) {
      const { bytes } = await source.registry.manifest(source.repository, digest);
      await store.writeBlob(bytes);
    }
    const document = parseManifestOrIndex(await store.readBlob(digest), source.imageRef);
    if (!isIndex(document)) return document;
    const platforms = document.manifests.map((entry) => entry.platform && platformOf(entry.platform));
    const match = document.manifests[platforms.indexOf(platform)];
    if (match && isNested)
      throw new TgoError("INVALID_RESPONSE", "the image's index lists indexes of indexes", {
        where: source.imageRef,
      });
    if (match) return this.#manifest(source, match.digest, platform, true);
    throw new TgoError("NOT_FOUND", `the image has no ${platform} variant`, {
      where: source.imageRef,
      remedy: `it has: ${platforms.filter((name) => name !== undefined).join(", ")}`,
    });
  }

  async #config({ registry, repository }: Source, descriptor: Manifest["config"]): Promise<Uint8Array> {
    const { store } = this.cx;
    if (await store.hasBlob(descriptor.digest)) return store.readBlob(descriptor.digest);
    const bytes = await readBlob(registry, repository, descriptor);
    await store.writeBlob(bytes);
    return bytes;
  }

  #fetchBlob({ registry, repository }: Source, { digest, size }: Sized): Promise<void> {
    const { store } = this.cx;
    return this.#blobs.run(digest, async () => {
      if (await store.hasBlob(digest)) return;
      await store.withWorkFolder(async (work) => {
        // The client verifies the digest at the stream's end.
        const body = await registry.blob(repository, { digest, size });
        await pipeline(body, createWriteStream(store.path(work, "blob")));
        await store.keepBlob(`${work}/blob`, digest);
      });
    });
  }
}

/** An image, and its files, which are pulled on first use. */
export interface Pulled {
  readonly image: Image;
  readonly content: Lazy<Snapshot>;
}

interface Sized {
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/** Where an image comes from. */
interface Source {
  readonly registry: Registry;
  readonly repository: string;
  /** The image's own reference, whatever mirror it comes from. */
  readonly imageRef: string;
}

/** The credentials for the whole host, whatever path or scheme the address has; an identity token has no user. As in Dagger. */
async function authFor(host: string, auth: readonly RegistryAuth[]): Promise<Credentials | undefined> {
  const hostOf = (address: string): string =>
    canonicalHost(address.replace(/^https?:\/\//, "").split("/")[0] ?? "");
  const match = auth.find(({ address }) => hostOf(address) === host);
  if (match === undefined) return undefined;
  const secret = await match.secret.plaintext();
  return match.username === "" ? { identityToken: secret } : { username: match.username, password: secret };
}

function serviceUrl(host: string, service: ServiceState): string {
  if (service.kind !== "host")
    throw new TgoError("USAGE", "the local engine supports registry services of the host only", {
      remedy: "give host().service(…), or use Dagger's engine",
    });
  const frontend = Number(host.split(":")[1] ?? "0");
  const port =
    (service.ports.find((each) => each.frontend === frontend) ?? service.ports[0])?.backend ?? 5000;
  const scheme = isLoopback(host) ? "http" : "https";
  return `${scheme}://${service.host}:${port}`;
}
