import { TgoError } from "@tgo/errors";
import { canonicalJson } from "@tgo/registry";
import type { Verification } from "@tgo/image";
import { CANDIDATE_ANNOTATION } from "./annotations.js";
import { candidateTag } from "./candidate-key.js";
import { referenceOf, repositoryOf, type Target } from "../targets/target.js";
import type { TargetContext } from "../targets/publish-context.js";
import type { Candidate } from "../publish/publish.js";
import type { RegistryRows } from "../publish/registry-rows.js";
import { verifyTag } from "../verify/verify-tag.js";

/** A registry that holds the candidate, and what its verification saw. */
export interface Held {
  readonly from: Target;
  readonly digest: string;
  /** Registries that hold it under its own tag, verified. */
  readonly holders: readonly Target[];
  readonly verification: Verification;
}

/** The look for a candidate in registries that answer when they like. */
export class Search {
  /** Where it was found, by what it is called there. */
  readonly #found = new Map<string, Target[]>();

  constructor(
    private readonly context: TargetContext,
    private readonly candidate: Candidate,
    private readonly rows: RegistryRows,
  ) {}

  /**
   * Asks one registry, before anything is built: this also shows a wrong password or a dead registry while nothing is
   * lost. A failure is in the registry's row.
   * @throws TgoError INTERRUPTED
   */
  async ask(target: Target): Promise<void> {
    const { candidate, rows } = this;
    const started = performance.now();
    const tag = candidateTag(candidate.key);
    try {
      const repository = repositoryOf(target, candidate.service);
      // With the right to push: it is needed anyway, and some registries hide a repository that is yet to come.
      const held = await target.client.resolve(repository, tag, { push: true });
      if (held !== undefined) rows.update(target, { state: "already there", digest: held.digest });
      const under = held === undefined ? await versionTag(target, candidate) : tag;
      if (under !== undefined) this.#found.set(under, [...(this.#found.get(under) ?? []), target]);
    } catch (error) {
      rows.fail(target, error, started);
    }
  }

  /** The candidate in one of these registries, as far as they have answered; undefined when none has it whole. */
  async held(among: readonly Target[]): Promise<Held | undefined> {
    for (const [reference, found] of this.#found) {
      const places = found.filter((target) => among.includes(target));
      const held = places.length === 0 ? undefined : await this.#verified(reference, places);
      if (held !== undefined) return held;
    }
    return undefined;
  }

  async #verified(reference: string, places: readonly Target[]): Promise<Held | undefined> {
    const { service, key } = this.candidate;
    const verification = await verifyTag(this.context, service, places, reference, {
      quiet: true,
      annotations: { [CANDIDATE_ANNOTATION]: key },
      elf: false,
    });
    const good = verification.targets.filter(({ state }) => state === "verified");
    for (const { name, digest } of good) {
      const from = places.find((target) => target.name === name);
      if (from === undefined || digest === undefined) continue;
      if (!(await isAsFinalised(from, service, digest))) continue;
      const same = good.filter((other) => other.digest === digest && reference === candidateTag(key));
      const holders = places.filter((target) => same.some((other) => other.name === target.name));
      return { from, digest, holders, verification };
    }
    return undefined;
  }
}

/** A registry that rewrites manifests has other bytes than finalising makes; nobody else should get them from there. */
async function isAsFinalised(target: Target, service: string, digest: string): Promise<boolean> {
  const { bytes } = await target.client.manifest(repositoryOf(target, service), digest, { push: true });
  const text = new TextDecoder().decode(bytes);
  return canonicalJson(JSON.parse(text)) === text;
}

/**
 * The version's tag, when it is there: it may have outlived the candidate's own.
 * @throws TgoError CONFLICT when it is another candidate's, before anything is built in vain
 */
async function versionTag(target: Target, { service, version, key }: Candidate): Promise<string | undefined> {
  if (version === undefined) return undefined;
  const repository = repositoryOf(target, service);
  const held = await target.client.resolve(repository, version, { push: true });
  if (held === undefined) return undefined;
  await requireSameCandidate(target, { service, version, key }, { tag: version, digest: held.digest });
  return version;
}

/** @throws TgoError CONFLICT when the version's tag has another candidate than this one */
export async function requireSameCandidate(
  target: Target,
  { service, version, key }: { readonly service: string; readonly version: string; readonly key: string },
  held: { readonly tag: string; readonly digest: string },
): Promise<void> {
  const repository = repositoryOf(target, service);
  const { value } = await target.client.manifest(repository, held.digest, { push: true });
  const other = value.annotations?.[CANDIDATE_ANNOTATION];
  if (other === key) return;
  throw new TgoError(
    "CONFLICT",
    `${version} is there already, made of something else (${other === undefined ? "no candidate" : candidateTag(other)})`,
    {
      where: referenceOf(target, service, held.tag),
      remedy:
        "A version's tag never changes. Release these bytes as the next version; to finish the version that is there, " +
        "give the source and the pipelines it was made of: its image names the commit.",
    },
  );
}
