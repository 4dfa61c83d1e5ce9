import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  Registry,
  formatReference,
  isIndex,
  parseConfig,
  parseDocument,
  parseReference,
  platformOf,
  type Credentials,
  type Descriptor,
  type ImageConfig as OciConfig,
  type Keychain,
  type Manifest,
  type Reference,
} from "@tgo/oci";
import { TgoError } from "@tgo/errors";
import { told, type OnEvent } from "./events.js";
import type { Layers } from "./layers.js";
import { SingleFlight } from "./lazy.js";
import type { ImageConfig, Platform, RegistryAuth, ServiceState } from "./state.js";
import { EMPTY, type Snapshot, type Store } from "./store.js";

export interface PulledImage {
  /** Canonical, with digest; a mirror does not show. */
  readonly imageRef: string;
  readonly platform: Platform;
  readonly config: ImageConfig;
  readonly fs: Snapshot;
  readonly origin: Origin;
}

/** What an image's config says about its lowest layers; published images carry it on. */
export interface Origin {
  readonly layers: readonly string[];
  readonly created: string | undefined;
  readonly history: readonly object[];
}

export interface ImagesOptions {
  readonly store: Store;
  readonly layers: Layers;
  readonly onEvent: OnEvent;
  readonly signal: AbortSignal;
  readonly mirrors: Readonly<Record<string, string>>;
  readonly keychain: Keychain;
}

/** How a container reaches a registry. */
export interface Route {
  readonly auth: readonly RegistryAuth[];
  /** Connect here instead; the address still decides http or https. */
  readonly service?: ServiceState | undefined;
}

/** Images from registries, as snapshots. What a tag stands for is asked once an engine. */
export class Images {
  readonly #o: ImagesOptions;
  readonly #resolved = new Map<string, Promise<string>>();
  readonly #pulls = new SingleFlight<PulledImage>();
  readonly #blobs = new SingleFlight<undefined>();

  constructor(options: ImagesOptions) {
    this.#o = options;
  }

  /** @throws TgoError of the registry client; NOT_FOUND when the image has no such platform */
  async pull(address: string, platform: Platform, route: Route): Promise<PulledImage> {
    const given = parseReference(address);
    const reference =
      given.tag === undefined && given.digest === undefined ? { ...given, tag: "latest" } : given;
    const { registry, repository } = await this.#source(reference, route);
    const name = formatReference(reference);
    const digest = reference.digest ?? (await this.#resolve(registry, repository, reference, name));
    const imageRef = formatReference({ ...reference, digest });
    return this.#pulls.run(`${imageRef} ${platform}`, () =>
      this.#pull(registry, repository, digest, imageRef, platform),
    );
  }

  /** The registry of a reference, with the credentials that the route or the docker config has for its host. */
  async registry(host: string, repository: string, { auth, service }: Route): Promise<Registry> {
    return new Registry({
      host,
      url: service === undefined ? undefined : serviceUrl(host, service),
      credentials: (await authFor(host, repository, auth)) ?? (await this.#o.keychain(host)),
      signal: this.#o.signal,
    });
  }

  credentials(host: string): Promise<Credentials | undefined> {
    return this.#o.keychain(host);
  }

  async #source(reference: Reference, route: Route): Promise<{ registry: Registry; repository: string }> {
    const { host, repository } = reference;
    const mirror = route.service === undefined ? this.#o.mirrors[host] : undefined;
    if (mirror === undefined) return { registry: await this.registry(host, repository, route), repository };
    const [mirrorHost = "", ...prefix] = mirror.split("/");
    const mirrored = [...prefix, repository].join("/");
    return { registry: await this.registry(mirrorHost, mirrored, route), repository: mirrored };
  }

  #resolve(
    registry: Registry,
    repository: string,
    { tag = "latest" }: Reference,
    name: string,
  ): Promise<string> {
    const known = this.#resolved.get(name);
    if (known) return known;
    const asked = registry.resolve(repository, tag).then((found) => {
      if (found) return found.digest;
      throw new TgoError("NOT_FOUND", `there is no image ${name}`, {
        where: registry.host,
        remedy: "check the name and the tag; a private image needs credentials",
      });
    });
    this.#resolved.set(name, asked);
    asked.catch(() => this.#resolved.delete(name));
    return asked;
  }

  async #pull(
    registry: Registry,
    repository: string,
    digest: string,
    imageRef: string,
    platform: Platform,
  ): Promise<PulledImage> {
    const { store, layers, onEvent } = this.#o;
    const manifest = await this.#manifest(registry, repository, digest, imageRef, platform);
    const missing = [manifest.config, ...manifest.layers].filter((blob) => !store.hasBlob(blob.digest));
    const fetchAll = (): Promise<unknown> =>
      Promise.all(missing.map((blob) => this.#fetchBlob(registry, repository, blob.digest)));
    const event = { kind: "pull", title: imageRef, platform } as const;
    if (missing.length === 0) onEvent({ ...event, state: "cached" });
    else await told(onEvent, event, fetchAll);
    const config = parseConfig(await store.readBlob(manifest.config.digest), imageRef);
    let fs = EMPTY;
    for (const [index, layer] of manifest.layers.entries()) {
      const diffId = config.rootfs.diff_ids[index];
      if (diffId === undefined)
        throw new TgoError("INVALID_RESPONSE", "the image config lists fewer layers than the manifest", {
          where: imageRef,
        });
      const blob = { mediaType: layer.mediaType, digest: layer.digest, size: layer.size, diffId };
      fs = await layers.unpack(fs, blob, store.blobPath(layer.digest));
    }
    return {
      imageRef,
      platform: platformOf(config),
      config: (config.config ?? {}) as ImageConfig,
      fs,
      origin: originOf(config, fs),
    };
  }

  async #manifest(
    registry: Registry,
    repository: string,
    digest: string,
    imageRef: string,
    platform: Platform,
  ): Promise<Manifest> {
    const document = parseDocument(await this.#manifestBytes(registry, repository, digest), imageRef);
    if (!isIndex(document)) return document;
    const match = document.manifests.find(
      (entry: Descriptor) => entry.platform && platformOf(entry.platform) === platform,
    );
    if (!match)
      throw new TgoError("NOT_FOUND", `the image has no ${platform} variant`, {
        where: imageRef,
        remedy: `it has: ${document.manifests.flatMap((m: Descriptor) => (m.platform ? [platformOf(m.platform)] : [])).join(", ")}`,
      });
    return this.#manifest(registry, repository, match.digest, imageRef, platform);
  }

  async #manifestBytes(registry: Registry, repository: string, digest: string): Promise<Uint8Array> {
    const { store } = this.#o;
    if (store.hasBlob(digest)) return store.readBlob(digest);
    const { bytes } = await registry.manifest(repository, digest);
    await store.writeBlob(Buffer.from(bytes));
    return bytes;
  }

  #fetchBlob(registry: Registry, repository: string, digest: string): Promise<undefined> {
    const { store } = this.#o;
    return this.#blobs.run(digest, async () => {
      if (store.hasBlob(digest)) return undefined;
      const work = await store.workFolder();
      try {
        // The client compares the digest when the stream ends.
        const body = Readable.fromWeb(
          (await registry.blob(repository, digest)) as Parameters<typeof Readable.fromWeb>[0],
        );
        await pipeline(body, createWriteStream(store.path(work, "blob")));
        await store.keep(`${work}/blob`, `blobs/${digest.replace(":", "/")}`);
      } finally {
        await store.discard(work);
      }
      return undefined;
    });
  }
}

export function originOf(config: OciConfig, fs: Snapshot): Origin {
  return { layers: fs.layers, created: config.created, history: config.history ?? [] };
}

async function authFor(
  host: string,
  repository: string,
  auth: readonly RegistryAuth[],
): Promise<Credentials | undefined> {
  const name = `${host}/${repository}`;
  const match = auth
    .filter(({ address }) => name === trimmed(address) || name.startsWith(`${trimmed(address)}/`))
    .sort((a, b) => b.address.length - a.address.length)[0];
  return match && { username: match.username, password: await match.secret.plaintext() };
}

/** A registry's address, as people write it: with a scheme, a path of the API, or an image's tag. */
function trimmed(address: string): string {
  const bare = address.replace(/^https?:\/\//, "").replace(/\/(v1|v2)?\/?$/, "");
  const host = bare.split("/")[0] ?? "";
  const rest = bare.slice(host.length).replace(/:[^/]*$/, "");
  return (/^(index\.|registry-1\.)?docker\.io$/.test(host) ? "docker.io" : host) + rest;
}

function serviceUrl(host: string, service: ServiceState): string {
  if (service.kind !== "host")
    throw new TgoError("USAGE", "the embedded engine reaches a registry service only on the host", {
      remedy: "give host().service(…), or use Dagger's engine",
    });
  const wanted = Number(host.split(":")[1] ?? "0");
  const port =
    (service.ports.find(({ frontend }) => frontend === wanted) ?? service.ports[0])?.backend ?? 5000;
  const scheme = /^(localhost|127\.0\.0\.1|\[::1\])(:|$)/.test(host) ? "http" : "https";
  return `${scheme}://${service.host}:${port}`;
}
