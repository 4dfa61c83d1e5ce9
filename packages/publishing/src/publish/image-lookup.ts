import type { Verification } from "@tgo/image";
import { canonicalJson } from "@tgo/registry";
import type { TargetContext } from "../targets/publish-context.js";
import { repositoryOf, type Target } from "../targets/target.js";
import { verifyTag } from "../verify/verify-tag.js";
import type { RegistryRows } from "./registry-rows.js";

/** How to recognize an image in registries that already have it. */
export interface ImageQuery {
  readonly service: string;
  /** Tags it may have, the preferred one first. */
  readonly tags: readonly [string, ...string[]];
  /** Annotations its index must have. */
  readonly annotations: Readonly<Record<string, string>>;
  /** The first tag never changes its digest: another image under it is reported, not replaced. */
  readonly immutable: boolean;
  /** Copy an index only if its bytes are as finalise writes them. */
  readonly finalised: boolean;
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

  /** The image from one of these registries; undefined when none of them has all of it. */
  async find(targets: readonly Target[]): Promise<FoundImage | undefined> {
    const found = await Promise.all(
      targets.map(async (target) => ({ target, tagged: await this.resolve(target) })),
    );
    for (const tag of this.query.tags) {
      const tagged = found.flatMap((one) => (one.tagged?.tag === tag ? [one.target] : []));
      const image = tagged.length === 0 ? undefined : await this.#findUnder(tag, tagged);
      if (image !== undefined) return image;
    }
    return undefined;
  }

  async #findUnder(tag: string, targets: readonly Target[]): Promise<FoundImage | undefined> {
    const { service, annotations, tags, finalised } = this.query;
    const options = { annotations, elf: false, quiet: true };
    const verification = await verifyTag(this.context, service, targets, tag, options);
    if (tag === tags[0]) for (const { name } of targets) this.#verifications.set(name, verification);
    for (const { name, digest, state } of verification.targets) {
      const from = targets.find((target) => target.name === name);
      if (from === undefined || digest === undefined || state !== "verified") continue;
      if (finalised && !(await isFinalised(from, service, digest))) continue;
      return { from, digest, verification };
    }
    return undefined;
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

/** A registry that rewrites manifests serves other bytes than finalise wrote; they must not spread to others. */
async function isFinalised(target: Target, service: string, digest: string): Promise<boolean> {
  const { bytes } = await target.client.manifest(repositoryOf(target, service), digest, { push: true });
  const text = new TextDecoder().decode(bytes);
  return canonicalJson(JSON.parse(text)) === text;
}
