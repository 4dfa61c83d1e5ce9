import { problemOf } from "@tgo/errors";
import type { Service } from "@tgo/catalog";
import { pushImage, type Verification } from "@tgo/image";
import { type RegistryReport, type ServiceReport } from "@tgo/report";
import { CANDIDATE_ANNOTATION } from "../candidate/annotations.js";
import { attempt, interrupted } from "./attempt.js";
import { splitByRequired, settled, type PublishOutcome } from "./publish-outcome.js";
import { candidateTag } from "../candidate/candidate-key.js";
import { commitNotes, type PrepareOptions } from "@tgo/builders";
import { repositoryOf, type Target } from "../targets/target.js";
import { copyByDigest } from "./copy-by-digest.js";
import type { TargetContext, PublishContext } from "../targets/publish-context.js";
import { Search, type Held } from "../candidate/find-candidate.js";
import { buildCandidate, type BuiltCandidate } from "../candidate/build-candidate.js";
import { notStarted } from "./not-started.js";
import { GRACE_PERIOD_MS, promised, within } from "./grace-period.js";
import { prepareCandidate, type Prepared } from "../candidate/prepare-candidate.js";
import { RegistryRows } from "./registry-rows.js";
import { variantRows, verifyTag } from "../verify/verify-tag.js";

export { requireSameCandidate } from "../candidate/find-candidate.js";

/**
 * Publishes one service's candidate to all registries. Never throws for the service's own failure.
 * @see publishCandidate
 */
export async function publishService(
  context: PublishContext,
  name: string,
  service: Service,
  options: PrepareOptions,
): Promise<ServiceReport> {
  return settled(await bringService(context, name, service, options));
}

/** As {@link publishService}, for a release: it does not wait for registries that are not required. */
export async function bringService(
  context: PublishContext,
  name: string,
  service: Service,
  options: PrepareOptions,
): Promise<PublishOutcome> {
  const bring = async (): Promise<PublishOutcome> => {
    const prepared = await prepareCandidate(context, name, service, options);
    return bringCandidate(context, candidateOf(context, prepared));
  };
  return attempt(
    context,
    name,
    bring,
    context.targets.map((target) => notStarted(target, name)),
  );
}

export function candidateOf(context: PublishContext, prepared: Prepared): Candidate {
  const { name, source, version } = prepared.request;
  return {
    service: name,
    key: prepared.key,
    revision: source.revision,
    notes: commitNotes(source),
    version,
    make: () => buildCandidate(context, prepared),
  };
}

/** What is to be published: a candidate that registries may hold already. */
export interface Candidate {
  readonly service: string;
  readonly key: string;
  readonly revision: string;
  /** What its reader should know, whether it is made now or not. */
  readonly notes: readonly string[];
  /** The version it is of, whose tag no other candidate may have; undefined when it is of none. */
  readonly version: string | undefined;
  readonly make: () => Promise<BuiltCandidate>;
}

interface Run {
  readonly context: TargetContext;
  readonly candidate: Candidate;
  readonly tag: string;
  readonly rows: RegistryRows;
}

/** A way to bring the candidate into a registry that lacks it, or a part of it. */
interface Source {
  /** Where it is known before the image is put anywhere. */
  readonly digest?: string;
  readonly notes: readonly string[];
  /** @returns the index's digest, and bytes sent where they are known */
  readonly put: (target: Target) => Promise<{ readonly digest: string; readonly uploaded?: number }>;
}

/** Registries failed; their rows say how. */
class RegistriesFailed extends Error {}

/**
 * Brings a candidate into every registry. Never throws for the candidate's own failure: the report says what was done,
 * what failed and what was not started.
 */
export async function publishCandidate(context: TargetContext, candidate: Candidate): Promise<ServiceReport> {
  return settled(await bringCandidate(context, candidate));
}

/**
 * Brings a candidate into the registries that a release waits for, and begins to bring it into the others. What one
 * registry holds is copied from there; otherwise it is made, and put into each as soon as that one has its layers.
 * Every registry is verified. Never throws for the candidate's own failure.
 */
export async function bringCandidate(context: TargetContext, candidate: Candidate): Promise<PublishOutcome> {
  const started = performance.now();
  const { service, revision } = candidate;
  const tag = candidateTag(candidate.key);
  const run: Run = { context, candidate, tag, rows: new RegistryRows(context, service, tag) };
  const search = new Search(context, candidate, run.rows);
  const { needed, others } = splitByRequired(context);
  const source = promised<Source | undefined>();
  const asked = needed.map((target) => search.ask(target));
  const late = others.map((target) => {
    const answer = search.ask(target);
    return { target, answer, row: bringLate(run, target, answer, source.promise) };
  });
  const rest = {
    service,
    revision,
    tag,
    late: new Map(late.map(({ target, row }) => [target.name, row])),
    durationMs: 0,
  };
  try {
    await Promise.all(asked);
    if (context.targets.some((target) => target.registry.required && run.rows.hasFailed(target)))
      throw new RegistriesFailed();
    const held =
      (await search.held(needed)) ??
      (await heldElsewhere(
        run,
        search,
        late.map(({ target, answer }) => ({ target, answer })),
      ));
    const from = held === undefined ? await making(run) : copying(run, held);
    source.keep(from);
    const { digest, verification } = await bringAll(run, needed, from, held);
    const failed = needed.some((target) => !isThere(run.rows.of(target)));
    return {
      ...rest,
      state: failed ? "failed" : held === undefined ? "published" : "already there",
      digest,
      variants: variantRows(context, verification).map((variant) => ({
        ...variant,
        smoke: variant.smoke && { ...variant.smoke, recorded: held !== undefined },
      })),
      registries: run.rows.all(),
      problems: [],
      notes: [...from.notes, ...candidate.notes],
      durationMs: since(started),
    };
  } catch (error) {
    return {
      ...rest,
      state: "failed",
      variants: [],
      registries: run.rows.all(),
      problems: error instanceof RegistriesFailed ? [] : [problemOf(interrupted(context) ?? error)],
      notes: [],
      durationMs: since(started),
    };
  } finally {
    source.keep(undefined);
  }
}

/** What only registries hold that nobody waits for is better copied from there than built: they get a moment. */
async function heldElsewhere(
  { context }: Run,
  search: Search,
  late: readonly { readonly target: Target; readonly answer: Promise<void> }[],
): Promise<Held | undefined> {
  if (late.length === 0) return undefined;
  const looked = Promise.all(late.map(({ answer }) => answer)).then(() =>
    search.held(late.map(({ target }) => target)),
  );
  return (await within(looked, context.gracePeriodMs ?? GRACE_PERIOD_MS)) ? looked : undefined;
}

/** Into every registry that is waited for and has it not yet; verified where it had to be brought. */
async function bringAll(
  run: Run,
  needed: readonly Target[],
  from: Source,
  held: Held | undefined,
): Promise<{ digest: string; verification: Verification }> {
  const { rows, tag } = run;
  const holders = needed.filter((target) => held?.holders.includes(target) === true);
  if (held !== undefined) rows.verified(holders, tag, held.verification);
  const lacking = needed.filter((target) => !holders.includes(target));
  const brought = await Promise.all(lacking.map((target) => bring(run, target, from)));
  const digest = held?.digest ?? brought.find((one) => one !== undefined);
  if (digest === undefined) throw new RegistriesFailed();
  const reached = lacking.filter((target) => !rows.hasFailed(target));
  if (reached.length === 0 && held !== undefined) return { digest, verification: held.verification };
  return { digest, verification: await verify(run, reached, digest) };
}

/** One registry that nobody waits for, from the first question to the last. Never rejects. */
async function bringLate(
  run: Run,
  target: Target,
  answer: Promise<void>,
  source: Promise<Source | undefined>,
): Promise<RegistryReport> {
  const { rows } = run;
  const started = performance.now();
  try {
    await answer;
    const held = await heldWhole(run, target);
    const from = await source;
    if (from !== undefined && !rows.hasFailed(target) && (held === undefined || held !== from.digest)) {
      const digest = await bring(run, target, from);
      if (digest !== undefined) await verify(run, [target], digest);
    }
  } catch (error) {
    const problem = problemOf(interrupted(run.context) ?? error);
    rows.update(target, { state: "failed", problems: [problem], durationMs: since(started) });
  }
  return rows.of(target);
}

/** The digest under the candidate's tag, where all of it is there. */
async function heldWhole(run: Run, target: Target): Promise<string | undefined> {
  const { digest } = run.rows.of(target);
  if (digest === undefined || run.rows.hasFailed(target)) return undefined;
  if ((await verify(run, [target], digest)).ok) return digest;
  run.rows.update(target, { state: "not started", problems: [] });
  return undefined;
}

/** One registry that fails holds up none of the others: its row says how. @returns the index's digest */
async function bring({ rows }: Run, target: Target, from: Source): Promise<string | undefined> {
  if (rows.hasFailed(target)) return undefined;
  const started = performance.now();
  try {
    const { digest, ...sent } = await from.put(target);
    rows.update(target, { state: "done", ...sent, durationMs: rows.spent(target, started) });
    return digest;
  } catch (error) {
    rows.fail(target, error, started);
    return undefined;
  }
}

async function verify(
  { context, candidate, rows, tag }: Run,
  targets: readonly Target[],
  digest: string,
): Promise<Verification> {
  const verification = await verifyTag(context, candidate.service, targets, tag, {
    digest,
    annotations: { [CANDIDATE_ANNOTATION]: candidate.key },
    elf: false,
  });
  rows.verified(targets, tag, verification);
  return verification;
}

/** What one registry holds, by digest. */
function copying({ context, candidate: { service }, tag }: Run, { from, digest }: Held): Source {
  return {
    digest,
    notes: [],
    put: async (to) => ({
      digest,
      uploaded: await copyByDigest(context, { from, to, service, digest, tag }),
    }),
  };
}

/** What is made now; the candidate's tag comes last in each registry. */
async function making({ context, candidate, tag }: Run): Promise<Source> {
  const { service } = candidate;
  const made = await candidate.make();
  return {
    notes: made.notes,
    put: async (target) => {
      const { image, from } = await made.deliver(target);
      await context.progress.step({ step: "tag", service, registry: target.name }, () =>
        pushImage(image, {
          to: { registry: target.client, repository: repositoryOf(target, service) },
          from,
          tag,
          thorough: true,
        }),
      );
      return { digest: image.digest };
    },
  };
}

function isThere({ state }: RegistryReport): boolean {
  return state !== "failed" && state !== "not started";
}

function since(started: number): number {
  return Math.round(performance.now() - started);
}
