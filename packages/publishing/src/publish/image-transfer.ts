import { problemOf, TgoError } from "@tgo/errors";
import type { Verification } from "@tgo/image";
import { putTag, type TagPut } from "@tgo/registry";
import { defined, type RegistryReport } from "@tgo/report";
import type { Attested, ImageProofs } from "../attestation/attestor.js";
import type { TargetContext } from "../targets/publish-context.js";
import { referenceOf, repositoryOf, type Target } from "../targets/target.js";
import { ImageLookup, type ImageQuery } from "./image-lookup.js";
import { RegistryRows } from "./registry-rows.js";
import { interruptionOf, RegistriesFailed } from "./service-report.js";

/** An image that can be put into any registry: built now, or copied from another registry. */
export interface ImageSource {
  /** Undefined until the image has been put into a registry, if it is built now. */
  readonly digest: string | undefined;
  /** Tag to put it under; without one it is put by digest. */
  readonly tag?: string;
  /** @returns the index's digest, and the bytes sent if known */
  readonly put: (target: Target) => Promise<{ readonly digest: string; readonly uploaded?: number }>;
}

/** Brings one image into every registry that lacks it. */
export class ImageTransfer {
  readonly rows: RegistryRows;
  readonly lookup: ImageLookup;
  /** Notes on images that it replaced, for the report. */
  readonly notes: string[] = [];
  /** What is known of its variants, to be attached to them. */
  proofs: ImageProofs | undefined;

  constructor(
    private readonly context: TargetContext,
    private readonly query: ImageQuery,
  ) {
    this.rows = new RegistryRows(context, query.service, query.tags[0]);
    this.lookup = new ImageLookup(context, query, this.rows);
  }

  /**
   * Puts the image into registries that lack it or a part of it, and verifies it there. A registry that fails does not
   * hold up the others; its row has the problem.
   * @returns the digest, and the last verification that found the image
   * @throws RegistriesFailed when no registry has the image afterwards
   */
  async bring(
    image: ImageSource,
    targets: readonly Target[],
  ): Promise<{ readonly digest: string; readonly verification: Verification | undefined }> {
    const inspected = await Promise.all(
      targets.map(async (target) => ({ target, ...(await this.#inspect(image, target)) })),
    );
    const missing = inspected.flatMap(({ target, state }) => (state === "missing" ? [target] : []));
    const put = await Promise.all(missing.map((target) => this.#put(image, target)));
    const digest = image.digest ?? put.find((one) => one !== undefined);
    if (digest === undefined) throw new RegistriesFailed();
    const reached = missing.filter((_, at) => put[at] !== undefined);
    if (reached.length > 0) {
      for (const target of reached) await this.#noteReplaced(target, digest);
      const reference = image.tag ?? digest;
      const verification = await this.lookup.verify(reached, reference, digest);
      this.rows.verified(reached, reference, verification);
      await this.#attest(digest, targets);
      await this.#tag(digest, reached);
      return { digest, verification };
    }
    await this.#attest(digest, targets);
    return { digest, verification: inspected.find(({ verification }) => verification)?.verification };
  }

  /** {@link bring} for an optional registry. Never rejects: the row has the problem. */
  async bringToOptional(image: ImageSource | undefined, target: Target): Promise<RegistryReport> {
    if (image === undefined) return this.rows.of(target);
    const started = performance.now();
    try {
      await this.lookup.ask([target]);
      if (!this.rows.hasFailed(target)) await this.bring(image, [target]);
    } catch (error) {
      if (!(error instanceof RegistriesFailed)) {
        const problem = problemOf(interruptionOf(this.context) ?? error);
        const durationMs = this.rows.addTime(target, started);
        this.rows.update(target, { state: "failed", problems: [problem], durationMs });
      }
    }
    return this.rows.of(target);
  }

  async #inspect({ digest }: ImageSource, target: Target): Promise<InspectedTarget> {
    const { rows, query } = this;
    const [tag] = query.tags;
    const found = await this.lookup.resolve(target);
    if (rows.hasFailed(target)) return { state: "unusable" };
    if (found?.tag !== tag || digest === undefined) return { state: "missing" };
    const isOther = found.digest !== digest;
    if (isOther && !query.immutable) return { state: "missing" };
    const known = isOther ? undefined : this.lookup.verification(target);
    const verification = known ?? (await this.lookup.verify([target], tag, digest));
    const result = verification.targets.find(({ name }) => name === target.name);
    const isComplete = result?.state === "verified" && !isOther;
    if (!isComplete && !isOther) {
      rows.update(target, { state: "not started", problems: [] });
      return { state: "missing" };
    }
    // Another image under a tag that never changes is not replaced: the row has the problem.
    rows.update(target, { state: "already there" });
    rows.verified([target], tag, verification);
    return isComplete ? { state: "complete", verification } : { state: "unusable" };
  }

  /**
   * Attaches what is said of the image, before any version's tag names it. A registry that refuses that has the image all
   * the same, unless signatures are required. If the signer fails, all of them count as failed.
   */
  async #attest(digest: string, targets: readonly Target[]): Promise<void> {
    const { context, query, rows } = this;
    const { attestor } = context;
    const having = targets.filter((target) => ["done", "already there"].includes(rows.of(target).state));
    if (attestor === undefined || having.length === 0) return;
    const { service } = query;
    const image = { service, digest, ...defined({ proofs: this.proofs }) };
    let attested: Attested;
    try {
      attested = await context.progress.step({ step: "attest", service }, () =>
        attestor.attach(image, having),
      );
    } catch (error) {
      // Who asked for a signature gets no tag without one: the gate reads the rows.
      const interruption = interruptionOf(context);
      if (interruption !== undefined) throw interruption;
      for (const target of having) rows.update(target, { state: "failed", problems: [problemOf(error)] });
      return;
    }
    this.notes.push(...attested.notes.filter((note) => !this.notes.includes(note)));
    for (const target of having) {
      const { state, problem } = attested.rows.find(({ registry }) => registry === target.name) ?? {};
      if (problem === undefined || (state === "missing" && !attestor.required)) continue;
      if (attestor.required) rows.update(target, { state: "failed", problems: [problem] });
      else this.notes.push(`${target.name} has no attestations: ${problem.what}`);
    }
  }

  /** Writes a tag that says that all is there, in registries of which that is true. */
  async #tag(digest: string, targets: readonly Target[]): Promise<void> {
    const { context, query, rows } = this;
    const { service, tags, tagAfterAttesting = false } = query;
    if (!tagAfterAttesting) return;
    const [tag] = tags;
    const whole = targets.filter((target) => rows.of(target).state === "done");
    const writes = whole.map(async (target) => {
      const started = performance.now();
      const to = { registry: target.client, repository: repositoryOf(target, service) };
      const found = await this.lookup.resolve(target);
      const read = async (): Promise<{ mediaType: string; bytes: Uint8Array }> => {
        const { descriptor, bytes } = await to.registry.manifest(to.repository, digest, { push: true });
        return { mediaType: descriptor.mediaType, bytes };
      };
      try {
        const { state } = await context.progress.step({ step: "tag", service, registry: target.name }, () =>
          putTag(to, { tag, digest, before: found?.digest, read }),
        );
        const where = referenceOf(target, service, tag);
        if (state !== "written") throw tagNotWritten(tag, where, state);
        rows.update(target, { reference: where });
      } catch (error) {
        rows.fail(target, error, started);
      }
    });
    await Promise.all(writes);
  }

  async #put(image: ImageSource, target: Target): Promise<string | undefined> {
    const { rows } = this;
    const started = performance.now();
    try {
      const { digest, ...sent } = await image.put(target);
      const durationMs = rows.addTime(target, started);
      rows.update(target, { state: "done", problems: [], ...sent, durationMs });
      return digest;
    } catch (error) {
      rows.fail(target, error, started);
      return undefined;
    }
  }

  async #noteReplaced(target: Target, digest: string): Promise<void> {
    const { service, tags } = this.query;
    const found = await this.lookup.resolve(target);
    if (found === undefined || found.tag !== tags[0] || found.digest === digest) return;
    const note = `${target.name} had another image under ${found.tag}: ${found.digest}, replaced`;
    this.notes.push(note);
    this.context.progress.note({ step: "copy", service, registry: target.name }, note);
  }
}

interface InspectedTarget {
  /** `missing`: all of the image, or a part of it. `unusable`: the registry failed, or has another image. */
  readonly state: "complete" | "missing" | "unusable";
  readonly verification?: Verification;
}

function tagNotWritten(tag: string, where: string, state: Exclude<TagPut["state"], "written">): TgoError {
  const [code, what, remedy] =
    state === "stale"
      ? (["UNAVAILABLE", `the registry does not return ${tag} as it was written`, "Run"] as const)
      : (["CONFLICT", `another run wrote ${tag} meanwhile`, "When it has finished, run"] as const);
  return new TgoError(code, what, { where, remedy: `${remedy} the same command again.` });
}
