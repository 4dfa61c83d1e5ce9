import type {
  Client,
  Container,
  Platform as DaggerPlatform,
  Service as DaggerService,
} from "@dagger.io/dagger";
import { mirrored, pinned, type BaseImage, type Pins, type Platform } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { errorMessage } from "../exec-failure.js";

export interface BasesOptions {
  readonly client: Client;
  /** The engine's own platform. */
  readonly native: Platform;
  /** By host: `{ "docker.io": "mirror.example.com" }`. */
  readonly mirrors: Readonly<Record<string, string>>;
  /** Digests that base images are pinned to; the others' tags are resolved. */
  readonly pins: Pins;
  /** How the engine connects to a registry of the user's machine. */
  readonly service: (address: string) => DaggerService | undefined;
}

/**
 * The base images of a call. A tag is resolved once, to the digest of its index: every service and every platform
 * then starts from that digest, even when the tag moves meanwhile.
 */
export class Bases {
  readonly #digests = new Map<string, Promise<string>>();

  constructor(private readonly options: BasesOptions) {}

  isPinned(reference: BaseImage): boolean {
    return pinned(reference, this.options.pins).includes("@");
  }

  /**
   * The digest that a base stands for in this call: of its index, where it has one.
   * @param platform one that the base has to have, when its tag is not resolved yet
   * @throws TgoError SOURCE
   */
  digest(reference: BaseImage, platform: Platform = this.options.native): Promise<string> {
    const known = this.#digests.get(reference);
    if (known !== undefined) return known;
    const asked = this.#resolve(reference, platform);
    this.#digests.set(reference, asked);
    return asked;
  }

  /** Where a base is pulled from: its mirror where there is one, by its digest. */
  async address(reference: BaseImage, platform?: Platform): Promise<string> {
    const [name = ""] = reference.split("@");
    return mirrored(`${name}@${await this.digest(reference, platform)}`, this.options.mirrors);
  }

  /**
   * @throws TgoError SOURCE when the base has no such platform: `from` of an image with one platform returns that
   *   one, whatever was asked for.
   */
  async container(reference: BaseImage, platform: Platform): Promise<Container> {
    const base = this.#from(await this.address(reference, platform), platform);
    const actual = await base.platform().catch((cause: unknown) => {
      throw this.#failure(reference, platform, cause);
    });
    if (String(actual) !== platform) throw this.#lacks(reference, platform, `found ${String(actual)}`);
    return base;
  }

  async #resolve(reference: BaseImage, platform: Platform): Promise<string> {
    const known = pinned(reference, this.options.pins).split("@")[1];
    if (known !== undefined) return known;
    const ref = await this.#from(mirrored(reference, this.options.mirrors), platform)
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
    const message = errorMessage(cause);
    if (/\bno (?:\S+ variant|match for platform)/.test(message))
      return this.#lacks(reference, platform, message);
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
            : "Pin it anew: npx --no-install tgo lock-bases --output tgo.bases.json.",
          cause,
        },
      );
    }
    return new TgoError("SOURCE", `base image ${reference} cannot be pulled for ${platform}: ${message}`, {
      where: address,
      remedy:
        mirrored(reference, mirrors) === reference
          ? "Check the name and the network. Where the registry is out of reach, set a mirror: " +
            `--mirror ${reference.slice(0, reference.indexOf("/"))}=mirror.example.com, or mirrors.images in tgo.catalog.json.`
          : "A mirror (--mirror, or mirrors.images of the catalog) leads there: check that it answers and has this image.",
      cause,
    });
  }

  #lacks(reference: BaseImage, platform: Platform, detail: string): TgoError {
    const { mirrors, pins } = this.options;
    return new TgoError("SOURCE", `base image ${reference} has no ${platform} variant (${detail})`, {
      where: mirrored(pinned(reference, pins), mirrors),
      remedy: "Choose a base with both platforms, or build only its own with --platform.",
    });
  }
}
