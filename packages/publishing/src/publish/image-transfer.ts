import { problemOf } from "@tgo/errors";
import type { Verification } from "@tgo/image";
import type { RegistryReport } from "@tgo/report";
import { canonicalJson } from "@tgo/registry";
import type { TargetContext } from "../targets/publish-context.js";
import { repositoryOf, type Target } from "../targets/target.js";
import { verifyTag } from "../verify/verify-tag.js";
import { copyByDigest } from "./copy-by-digest.js";
import { RegistryRows } from "./registry-rows.js";
import { interruptionOf, RegistriesFailed } from "./service-report.js";

/** How an image is recognized in the registries that have it already. */
export interface ImageQuery {
  readonly service: string;
  /** Tags it may be found under; the first one is looked at first. */
  readonly tags: readonly [string, ...string[]];
  /** Annotations its index must have. */
  readonly annotations: Readonly<Record<string, string>>;
  /** The first tag keeps its digest: another image under it is reported, not replaced. */
  readonly immutable: boolean;
  /** Only an index that is byte for byte as finalising writes it may be copied. */
  readonly finalised: boolean;
  /** Refuses what a registry has under one of the tags by throwing. */
  readonly accept?: (target: Target, found: TaggedDigest) => Promise<void>;
}

export interface TaggedDigest {
  readonly tag: string;
  readonly digest: string;
}

/** An image that a registry has, complete and verified. */
export interface FoundImage {
  readonly from: Target;
  readonly digest: string;
  readonly verification: Verification;
}

/** An image that can be put into any registry. */
export interface ImageSource {
  /** Where it is known before the image is put anywhere. */
  readonly digest: string | undefined;
  /** Tag it is put under. */
  readonly tag: string;
  /** @returns the index's digest, and bytes sent where they are known */
  readonly put: (target: Target) => Promise<{ readonly digest: string; readonly uploaded?: number }>;
}

/** One image, what each registry holds of it, and the way into those that lack it. */
export class ImageTransfer {
  readonly rows: RegistryRows;
  readonly #lookups = new Map<string, Promise<TaggedDigest | undefined>>();
  /** By registry: what was under the looked-at tag, held against the others'. */
  readonly #verified = new Map<string, Verification>();

  constructor(
    private readonly context: TargetContext,
    private readonly query: ImageQuery,
  ) {
    this.rows = new RegistryRows(context, query.service, query.tags[0]);
  }

  /**
   * Asks registries for the image. This also shows a wrong password or a dead registry before anything is built or
   * written. A failure goes into the registry's row.
   * @throws TgoError INTERRUPTED
   */
  async lookUp(targets: readonly Target[]): Promise<void> {
    await Promise.all(targets.map((target) => this.#lookUp(target)));
  }

  #lookUp(target: Target): Promise<TaggedDigest | undefined> {
    const known = this.#lookups.get(target.name);
    if (known !== undefined) return known;
    const asked = this.#ask(target);
    this.#lookups.set(target.name, asked);
    return asked;
  }

  async #ask(target: Target): Promise<TaggedDigest | undefined> {
    const { query, rows } = this;
    const started = performance.now();
    const repository = repositoryOf(target, query.service);
    try {
      for (const tag of query.tags) {
        // With the right to push: it is needed anyway, and some registries hide a repository that does not exist yet.
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

  /** The image in one of these registries; undefined when none of them has all of it. */
  async find(targets: readonly Target[]): Promise<FoundImage | undefined> {
    const found = await Promise.all(
      targets.map(async (target) => ({ target, tagged: await this.#lookUp(target) })),
    );
    for (const tag of this.query.tags) {
      const holders = found.flatMap(({ target, tagged }) => (tagged?.tag === tag ? [target] : []));
      const image = holders.length === 0 ? undefined : await this.#findUnder(tag, holders);
      if (image !== undefined) return image;
    }
    return undefined;
  }

  async #findUnder(tag: string, holders: readonly Target[]): Promise<FoundImage | undefined> {
    const verification = await this.#verify(holders, tag, { quiet: true });
    if (tag === this.query.tags[0]) for (const { name } of holders) this.#verified.set(name, verification);
    for (const { name, digest, state } of verification.targets) {
      const from = holders.find((target) => target.name === name);
      if (from === undefined || digest === undefined || state !== "verified") continue;
      if (this.query.finalised && !(await isFinalised(from, this.query.service, digest))) continue;
      return { from, digest, verification };
    }
    return undefined;
  }

  /** Those of these registries that have something under one of the tags. */
  async holders(targets: readonly Target[]): Promise<readonly Target[]> {
    const found = await Promise.all(targets.map((target) => this.#lookUp(target)));
    return targets.filter((_, at) => found[at] !== undefined);
  }

  /** A found image as the source for the other registries. @param tag that it is put under */
  copyOf({ from, digest }: FoundImage, tag: string): ImageSource {
    const { context } = this;
    const { service } = this.query;
    return {
      digest,
      tag,
      put: async (to) => ({
        digest,
        uploaded: await copyByDigest(context, { from, to, service, digest, tag }),
      }),
    };
  }

  /**
   * Brings an image into registries, and verifies it there. Where it is complete already it stays; a registry that
   * fails holds up none of the others, and its row says how.
   * @returns the digest, and the last verification that saw the image
   * @throws RegistriesFailed when no registry has the image afterwards
   */
  async bring(
    image: ImageSource,
    targets: readonly Target[],
  ): Promise<{ readonly digest: string; readonly verification: Verification | undefined }> {
    const inspected = await Promise.all(
      targets.map(async (target) => ({ target, ...(await this.#inspect(image, target)) })),
    );
    const lacking = inspected.flatMap(({ target, state }) => (state === "lacking" ? [target] : []));
    const put = await Promise.all(lacking.map((target) => this.#put(image, target)));
    const digest = image.digest ?? put.find((one) => one !== undefined);
    if (digest === undefined) throw new RegistriesFailed();
    const reached = lacking.filter((_, at) => put[at] !== undefined);
    if (reached.length > 0) {
      const verification = await this.#verify(reached, image.tag, { digest });
      this.rows.verified(reached, image.tag, verification);
      return { digest, verification };
    }
    return { digest, verification: inspected.find(({ verification }) => verification)?.verification };
  }

  /** As {@link bring}, for a registry that nobody waits for. Never rejects: the row says what came of it. */
  async bringToOptional(image: ImageSource | undefined, target: Target): Promise<RegistryReport> {
    if (image === undefined) return this.rows.of(target);
    const started = performance.now();
    try {
      await this.lookUp([target]);
      if (!this.rows.hasFailed(target)) await this.bring(image, [target]);
    } catch (error) {
      if (!(error instanceof RegistriesFailed)) {
        const problem = problemOf(interruptionOf(this.context) ?? error);
        const durationMs = this.rows.spent(target, started);
        this.rows.update(target, { state: "failed", problems: [problem], durationMs });
      }
    }
    return this.rows.of(target);
  }

  /** Whether a registry has the image complete, lacks it or a part of it, or must not get it. */
  async #inspect({ digest }: ImageSource, target: Target): Promise<InspectedTarget> {
    const { rows, query } = this;
    const [tag] = query.tags;
    const tagged = await this.#lookUp(target);
    if (rows.hasFailed(target)) return { state: "closed" };
    if (tagged?.tag !== tag || digest === undefined) return { state: "lacking" };
    const isOther = tagged.digest !== digest;
    if (isOther && !query.immutable) return { state: "lacking" };
    const verification = this.#verified.get(target.name) ?? (await this.#verify([target], tag, { digest }));
    const seen = verification.targets.find(({ name }) => name === target.name);
    const isComplete = seen?.state === "verified" && !isOther;
    if (!isComplete && !isOther) {
      rows.update(target, { state: "not started", problems: [] });
      return { state: "lacking" };
    }
    // Another image under a tag that keeps its digest is not replaced: the row says so.
    rows.update(target, { state: "already there" });
    rows.verified([target], tag, verification);
    return isComplete ? { state: "complete", verification } : { state: "closed" };
  }

  async #put(image: ImageSource, target: Target): Promise<string | undefined> {
    const { rows } = this;
    const started = performance.now();
    try {
      const { digest, ...sent } = await image.put(target);
      const durationMs = rows.spent(target, started);
      rows.update(target, { state: "done", problems: [], ...sent, durationMs });
      return digest;
    } catch (error) {
      rows.fail(target, error, started);
      return undefined;
    }
  }

  #verify(
    targets: readonly Target[],
    tag: string,
    options: { readonly digest?: string; readonly quiet?: boolean },
  ): Promise<Verification> {
    const { service, annotations } = this.query;
    return verifyTag(this.context, service, targets, tag, { ...options, annotations, elf: false });
  }
}

interface InspectedTarget {
  readonly state: "complete" | "lacking" | "closed";
  readonly verification?: Verification;
}

/** A registry that rewrites manifests has other bytes than finalising makes; nobody else should get them from there. */
async function isFinalised(target: Target, service: string, digest: string): Promise<boolean> {
  const { bytes } = await target.client.manifest(repositoryOf(target, service), digest, { push: true });
  const text = new TextDecoder().decode(bytes);
  return canonicalJson(JSON.parse(text)) === text;
}
