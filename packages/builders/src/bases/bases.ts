import type {
  Client,
  Container,
  Platform as DaggerPlatform,
  Service as DaggerService,
} from "@dagger.io/dagger";
import { mirrored, pinned, type BaseImage, type Pins, type Platform } from "@tgo/catalog";
import { innerCause, TgoError } from "@tgo/errors";
import { errorMessage } from "../exec-failure.js";

export interface BasesOptions {
  readonly client: Client;
  /** The engine's own platform. */
  readonly native: Platform;
  /** By host: `{ "docker.io": "mirror.example.com" }`. */
  readonly mirrors: Readonly<Record<string, string>>;
  /** Digests of pinned base images; the tags of others are resolved. */
  readonly pins: Pins;
  /** The service through which the engine reaches a registry on the user's machine, if the address is one. */
  readonly service: (address: string) => DaggerService | undefined;
  /**
   * Asks the registry what an address is now. An engine may answer from a lock of its own, so it is asked only where this
   * finds nothing: then its mirrors and certificates count, and its error.
   */
  readonly lookUp?: (address: string) => Promise<BaseIndex | undefined>;
}

/** The index of a base image. */
export interface BaseIndex {
  readonly digest: string;
  /** `os/architecture` of each image that it lists. */
  readonly platforms: readonly string[];
}

/**
 * The base images of a call. Each tag is resolved once, to the digest of its index, so that every service and platform
 * uses the same digest even if the tag moves meanwhile.
 */
export class Bases {
  readonly #digests = new Map<string, Promise<string>>();

  constructor(private readonly options: BasesOptions) {}

  /** Whether a base is pinned to a digest, by its reference or by the lock. */
  isPinned(reference: BaseImage): boolean {
    return pinned(reference, this.options.pins).includes("@");
  }

  /**
   * The digest of a base in this call; that of its index if it has one.
   * @param platform a platform that the base must have, used when its tag is resolved
   * @throws TgoError SOURCE
   */
  digest(reference: BaseImage, platform: Platform = this.options.native): Promise<string> {
    const known = this.#digests.get(reference);
    if (known !== undefined) return known;
    const resolved = this.#resolve(reference, platform);
    this.#digests.set(reference, resolved);
    // The next service asks again.
    resolved.catch(() => this.#digests.delete(reference));
    return resolved;
  }

  /** The address from which a base is pulled: on its mirror if one is set, by digest. */
  async address(reference: BaseImage, platform?: Platform): Promise<string> {
    const [name = ""] = reference.split("@");
    return mirrored(`${name}@${await this.digest(reference, platform)}`, this.options.mirrors);
  }

  /**
   * A base for a platform.
   * @throws TgoError SOURCE if the base lacks the platform. This is checked, because the engine's `from` returns the
   *   only platform of an image without an index, whatever was requested.
   */
  async container(reference: BaseImage, platform: Platform): Promise<Container> {
    const base = this.#from(await this.address(reference, platform), platform);
    const actual = await base.platform().catch((cause: unknown) => {
      throw this.#failure(reference, platform, cause);
    });
    if (String(actual) !== platform)
      throw this.#platformMissing(reference, platform, `found ${String(actual)}`);
    return base;
  }

  async #resolve(reference: BaseImage, platform: Platform): Promise<string> {
    const known = pinned(reference, this.options.pins).split("@")[1];
    if (known !== undefined) return known;
    const address = mirrored(reference, this.options.mirrors);
    const found = await this.options.lookUp?.(address);
    if (found?.platforms.includes(platform) === true) return found.digest;
    const ref = await this.#from(address, platform)
      .imageRef()
      .catch((cause: unknown) => {
        throw this.#failure(reference, platform, cause);
      });
    return ref.slice(ref.indexOf("@") + 1);
  }

  #from(address: string, platform: Platform): Container {
    const registryService = this.options.service(address);
    return this.options.client
      .container({ platform: platform as string as DaggerPlatform })
      .from(address, registryService === undefined ? {} : { registryService });
  }

  #failure(reference: BaseImage, platform: Platform, cause: unknown): TgoError {
    const inner = innerCause(cause);
    if (inner?.code === "ENVIRONMENT") return inner;
    const message = inner?.what ?? errorMessage(cause);
    if (/\bno (?:\S+ variant|match for platform)/.test(message))
      return this.#platformMissing(reference, platform, message);
    const { mirrors, pins } = this.options;
    const address = mirrored(pinned(reference, pins), mirrors);
    const missing = /not.?found|manifest.?unknown|no such digest|\b404\b/i.test(message);
    if (missing && this.isPinned(reference)) {
      return new TgoError(
        "SOURCE",
        `base image ${reference} is pinned to a digest that its ${address.startsWith(`${reference}@`) ? "registry no longer has" : "mirror does not have"}`,
        {
          where: address,
          remedy: reference.includes("@")
            ? "Choose another tag or digest in the catalog."
            : "Update the lock: tgo lock-bases --output tgo.bases.json.",
          cause,
        },
      );
    }
    return new TgoError("SOURCE", `base image ${reference} cannot be pulled for ${platform}: ${message}`, {
      where: address,
      remedy:
        // A registry that can be reached says what it wants.
        inner?.remedy !== undefined &&
        ["UNAUTHORIZED", "DENIED", "UNAVAILABLE"].includes(inner.code) &&
        !/cannot reach/.test(message)
          ? inner.remedy
          : mirrored(reference, mirrors) === reference
            ? "Check the name and the network. If the registry is unreachable from here, set a mirror: " +
              `--mirror ${reference.slice(0, reference.indexOf("/"))}=mirror.example.com, or mirrors.images in tgo.catalog.json.`
            : "This mirror is set by --mirror or mirrors.images in the catalog: check that it is reachable and has this image.",
      cause,
    });
  }

  #platformMissing(reference: BaseImage, platform: Platform, detail: string): TgoError {
    const { mirrors, pins } = this.options;
    return new TgoError("SOURCE", `base image ${reference} has no ${platform} variant (${detail})`, {
      where: mirrored(pinned(reference, pins), mirrors),
      remedy: "Choose a base with all platforms, or build only those that it has: --platform.",
    });
  }
}
