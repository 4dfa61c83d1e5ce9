import { isFinalIndex, type Verification } from "@tgo/image";
import type { TargetContext } from "../targets/publish-context.js";
import { repositoryOf, type Target } from "../targets/target.js";
import { verifyTag } from "../verify/verify-tag.js";
import type { RegistryRows } from "./registry-rows.js";

/** How to recognize an image in registries that already have it. */
export interface ImageQuery {
  readonly service: string;
  /** Tags it may have, the preferred one first. */
  readonly tags: readonly [string, ...string[]];
  /** The version whose tag it has once it is released. */
  readonly version: string | undefined;
  /** The first tag never changes its digest: another image under it is reported, not replaced. */
  readonly immutable: boolean;
  /** The first tag is written once what is attached is there as well: whoever waits for the tag relies on that. */
  readonly tagAfterAttesting?: boolean;
  /** Its index is, byte for byte, what finalise writes with these annotations; undefined if they are not known. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Labels that every variant has. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Throws to refuse what a registry has under one of the tags. */
  readonly accept?: (target: Target, found: TaggedDigest) => Promise<void>;
}

export interface TaggedDigest {
  readonly tag: string;
  readonly digest: string;
}

/** A complete and verified image in a registry. */
export interface FoundImage {
  readonly from: Target;
  readonly digest: string;
  readonly verification: Verification;
}

/** Which registries have an image. Each registry is asked once. */
export class ImageLookup {
  readonly #resolved = new Map<string, Promise<TaggedDigest | undefined>>();
  /** By registry: the verification of the preferred tag, together with other registries. */
  readonly #verifications = new Map<string, Verification>();

  constructor(
    private readonly context: TargetContext,
    private readonly query: ImageQuery,
    private readonly rows: RegistryRows,
  ) {}

  /**
   * Asks registries for the image. This also reveals a wrong password or an unreachable registry before anything is
   * built or written: a failure goes into the registry's row.
   * @throws TgoError INTERRUPTED
   */
  async ask(targets: readonly Target[]): Promise<void> {
    await Promise.all(targets.map((target) => this.resolve(target)));
  }

  /** The first of the query's tags that a registry has. */
  resolve(target: Target): Promise<TaggedDigest | undefined> {
    const known = this.#resolved.get(target.name);
    if (known !== undefined) return known;
    const resolved = this.#resolve(target);
    this.#resolved.set(target.name, resolved);
    return resolved;
  }

  async #resolve(target: Target): Promise<TaggedDigest | undefined> {
    const { query, rows } = this;
    const started = performance.now();
    const repository = repositoryOf(target, query.service);
    try {
      for (const tag of query.tags) {
        // With push access: it is needed anyway, and some registries hide a repository that does not exist yet.
        const found = await target.client.resolve(repository, tag, { push: true });
        if (found === undefined) continue;
        const tagged = { tag, digest: found.digest };
        await query.accept?.(target, tagged);
        if (tag === query.tags[0] && !query.immutable)
          rows.update(target, { state: "already there", digest: found.digest });
        return tagged;
      }
    } catch (error) {
      rows.fail(target, error, started);
    }
    return undefined;
  }

  /** The images that these registries have all of, each digest once; those under the preferred tag first. */
  async find(targets: readonly Target[]): Promise<FoundImage[]> {
    const found: FoundImage[] = [];
    const tagged = await Promise.all(
      targets.map(async (target) => ({ target, ...(await this.resolve(target)) })),
    );
    for (const name of this.query.tags) {
      for (const { tag, digest } of tagged) {
        if (tag !== name || digest === undefined || found.some((one) => one.digest === digest)) continue;
        const same = tagged.filter((one) => one.tag === tag && one.digest === digest);
        const image = await this.#findUnder(
          { tag, digest },
          same.map(({ target }) => target),
        );
        if (image !== undefined) found.push(image);
      }
    }
    return found;
  }

  async #findUnder(
    { tag, digest }: TaggedDigest,
    targets: readonly Target[],
  ): Promise<FoundImage | undefined> {
    const [preferred] = this.query.tags;
    const verification = await this.verify(targets, tag, digest, { quiet: true });
    if (tag === preferred) for (const { name } of targets) this.#verifications.set(name, verification);
    for (const { name, state } of verification.targets) {
      const from = targets.find((target) => target.name === name);
      if (from === undefined || state !== "verified") continue;
      if (await this.#isFinal(from, digest)) return { from, digest, verification };
    }
    return undefined;
  }

  /**
   * Whether an index has the bytes that finalise writes. Others must not spread: a registry may rewrite manifests, and
   * whoever can push may add annotations.
   */
  async #isFinal(target: Target, digest: string): Promise<boolean> {
    const { service, annotations } = this.query;
    if (annotations === undefined) return true;
    const repository = repositoryOf(target, service);
    return isFinalIndex(await target.client.manifest(repository, digest, { push: true }), annotations);
  }

  /** Verifies the image in registries. @param reference a tag, or the digest itself */
  verify(
    targets: readonly Target[],
    reference: string,
    digest: string,
    { quiet = false }: { readonly quiet?: boolean } = {},
  ): Promise<Verification> {
    const { service, annotations = {}, labels = {} } = this.query;
    const options = { digest, annotations, labels, elf: false, quiet };
    return verifyTag(this.context, service, targets, reference, options);
  }

  /** The image that has the version's tag in all of these registries. */
  async released(targets: readonly Target[]): Promise<FoundImage | undefined> {
    const { service, version: tag } = this.query;
    if (tag === undefined) return undefined;
    const digests = await Promise.all(
      targets.map(async (target) => {
        const known = await this.resolve(target);
        if (known?.tag === tag) return known.digest;
        const found = target.client.resolve(repositoryOf(target, service), tag, { push: true });
        return (await found.catch(() => undefined))?.digest;
      }),
    );
    const [digest] = digests;
    if (digest === undefined || digests.some((other) => other !== digest)) return undefined;
    const image = await this.#findUnder({ tag, digest }, targets);
    // The header of a response said so; the manifest itself must be what it said.
    return image?.verification.targets.every((target) => target.digest === digest) === true
      ? image
      : undefined;
  }

  /** Those of these registries that have one of the tags, even on an incomplete image. */
  async tagged(targets: readonly Target[]): Promise<readonly Target[]> {
    const found = await Promise.all(targets.map((target) => this.resolve(target)));
    return targets.filter((_, at) => found[at] !== undefined);
  }

  /** The verification of a registry's preferred tag, if {@link find} made one. */
  verification(target: Target): Verification | undefined {
    return this.#verifications.get(target.name);
  }
}
