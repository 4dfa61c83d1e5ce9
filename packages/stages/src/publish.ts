import type { Service } from "@tgo/catalog";
import { isTgoError, TgoError } from "@tgo/errors";
import { canonicalJson, copyImage, pushImage, type Verification } from "@tgo/oci";
import { problemOf, type Problem, type RegistryReport, type ServiceReport } from "@tgo/report";
import { CANDIDATE_ANNOTATION } from "./annotations.js";
import { attempt, interrupted } from "./attempt.js";
import { candidateTag } from "./candidate.js";
import { referenceOf, repositoryOf, type Context, type Target } from "./context.js";
import type { Destination } from "./destination.js";
import { messageOf } from "./exec-error.js";
import { makeCandidate, type Made } from "./make.js";
import { notStarted } from "./not-started.js";
import { prepare, type Prepared, type PrepareOptions } from "./prepare.js";
import { registryRows, variantRows, verifyTag } from "./verify.js";

/**
 * Publishes one service's candidate. Never throws for the service's own failure.
 * @see publishCandidate
 */
export async function publishService(
  context: Context,
  name: string,
  service: Service,
  options: PrepareOptions,
): Promise<ServiceReport> {
  const publish = async (): Promise<ServiceReport> => {
    const prepared = await prepare(context, name, service, options);
    return publishCandidate(context, candidateOf(context, prepared));
  };
  return attempt(
    context,
    name,
    publish,
    context.targets.map((target) => notStarted(target, name)),
  );
}

export function candidateOf(context: Context, prepared: Prepared): Candidate {
  const { name, source, version } = prepared.request;
  return {
    service: name,
    key: prepared.key,
    revision: source.revision,
    notes: devNote(prepared),
    version,
    make: () => makeCandidate(context, prepared),
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
  readonly make: () => Promise<Made>;
}

interface Run {
  readonly context: Destination;
  readonly candidate: Candidate;
  readonly tag: string;
  /** By registry: what is known of it so far. */
  readonly rows: Map<string, RegistryReport>;
}

/** A registry that holds the candidate, verified, and all others that do. */
interface Held {
  readonly from: Target;
  readonly digest: string;
  readonly holders: readonly string[];
}

/** Registries failed; their rows say how. */
class RegistriesFailed extends Error {}

/**
 * Brings a candidate into every registry: what one of them holds is copied from there; otherwise it is made, and put
 * into each as soon as that one has its layers. Then it is verified everywhere. Never throws for the candidate's own
 * failure: the report says what was done, what failed and what was not started.
 */
export async function publishCandidate(context: Destination, candidate: Candidate): Promise<ServiceReport> {
  const started = performance.now();
  const { service } = candidate;
  const tag = candidateTag(candidate.key);
  const rows = new Map(context.targets.map((target) => [target.name, notStarted(target, service, tag)]));
  const run: Run = { context, candidate, tag, rows };
  const facts = { service, revision: candidate.revision, tag };
  try {
    const found = await findCandidate(run);
    const held = found !== undefined;
    const { digest, notes } = held ? { ...found, notes: [] } : await make(run);
    if (held) await copyMissing(run, found);
    const verification = await verifyAll(run, digest);
    const failed = [...rows.values()].some(({ state }) => state === "failed" || state === "not started");
    return {
      ...facts,
      state: failed ? "failed" : held ? "already there" : "published",
      digest,
      variants: variantRows(context, verification).map((variant) => ({
        ...variant,
        smoke: variant.smoke && { ...variant.smoke, recorded: held },
      })),
      registries: [...rows.values()],
      problems: [],
      notes: [...notes, ...candidate.notes],
      durationMs: since(started),
    };
  } catch (error) {
    return {
      ...facts,
      state: "failed",
      variants: [],
      registries: [...rows.values()],
      problems: error instanceof RegistriesFailed ? [] : [problemOf(interrupted(context) ?? error)],
      notes: [],
      durationMs: since(started),
    };
  }
}

async function verifyAll(run: Run, digest: string): Promise<Verification> {
  const { context, candidate, rows, tag } = run;
  const { service } = candidate;
  const reached = context.targets.filter((target) => rows.get(target.name)?.state !== "failed");
  const verification = await verifyTag(context, service, reached, tag, {
    digest,
    annotations: { [CANDIDATE_ANNOTATION]: candidate.key },
    elf: false,
  });
  for (const row of registryRows(reached, service, tag, verification)) {
    const before = rows.get(row.registry);
    rows.set(row.registry, {
      ...row,
      state: row.state === "verified" ? (before?.state ?? "done") : row.state,
      uploaded: before?.uploaded,
      durationMs: (before?.durationMs ?? 0) + row.durationMs,
    });
  }
  return verification;
}

function devNote({ request }: Prepared): string[] {
  const { revision } = request.source;
  if (!revision.startsWith("dev-")) return [];
  return [
    `revision ${revision} is the source's content: it was given without a commit (--revision), or has changes; ` +
      "such a candidate can be pulled and tried, but never released",
  ];
}

/**
 * Asks every registry for the candidate before anything is built: this also shows a wrong password or a dead
 * registry while nothing is lost. A required registry that cannot be asked stops the service.
 */
async function findCandidate(run: Run): Promise<Held | undefined> {
  const { context, candidate, tag } = run;
  const { service, key } = candidate;
  const found = new Map<string, Target[]>();
  await Promise.all(
    context.targets.map(async (target) => {
      const started = performance.now();
      try {
        // With the right to push: it is needed anyway, and some registries hide a repository that is yet to come.
        const held = await target.client.resolve(repositoryOf(target, service), tag, { push: true });
        if (held !== undefined) update(run, target, { state: "already there", digest: held.digest });
        const under = held === undefined ? await versionTag(target, candidate) : tag;
        if (under !== undefined) found.set(under, [...(found.get(under) ?? []), target]);
      } catch (error) {
        fail(run, target, error, started);
      }
    }),
  );
  const blocked = context.targets.some(
    (target) => target.registry.required && run.rows.get(target.name)?.state === "failed",
  );
  if (blocked) throw new RegistriesFailed();
  for (const [reference, holders] of found) {
    const verification = await verifyTag(context, service, holders, reference, {
      quiet: true,
      annotations: { [CANDIDATE_ANNOTATION]: key },
      elf: false,
    });
    const good = verification.targets.filter(({ state }) => state === "verified");
    for (const { name, digest } of good) {
      const from = holders.find((target) => target.name === name);
      if (from !== undefined && digest !== undefined && (await isAsFinalised(from, service, digest)))
        return {
          from,
          digest,
          holders: good
            .filter((other) => other.digest === digest && reference === tag)
            .map(({ name }) => name),
        };
    }
  }
  return undefined;
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

/** Brings a candidate that some registries hold to the others, by digest. */
async function copyMissing(run: Run, { from, digest, holders }: Held): Promise<void> {
  const { context, tag } = run;
  const { service } = run.candidate;
  await everyTarget(run, async (target) => {
    if (holders.includes(target.name)) return { state: "already there", uploaded: 0 };
    return context.progress.step({ step: "copy", service, registry: target.name }, async () => {
      const copied = await copyImage({
        from: { registry: from.client, repository: repositoryOf(from, service) },
        to: { registry: target.client, repository: repositoryOf(target, service) },
        digest,
        tag,
        // What is there did not pass as a whole, or was never tagged: parts of it may be missing.
        thorough: true,
      });
      return { state: "done", uploaded: copied.uploaded.bytes };
    });
  });
}

/** Makes the image and puts it into every registry; the candidate's tag comes last in each. */
async function make(run: Run): Promise<{ digest: string; notes: readonly string[] }> {
  const { context, candidate, tag } = run;
  const { service } = candidate;
  const made = await candidate.make();
  let digest: string | undefined;
  await everyTarget(run, async (target) => {
    const { image, from } = await made.deliver(target);
    await context.progress.step({ step: "tag", service, registry: target.name }, () =>
      pushImage(image, {
        to: { registry: target.client, repository: repositoryOf(target, service) },
        from,
        tag,
        thorough: true,
      }),
    );
    digest = image.digest;
    return { state: "done" };
  });
  if (digest === undefined) throw new RegistriesFailed();
  return { digest, notes: made.notes };
}

/** Does the same in every registry that has not failed; one that fails holds up none of the others. */
async function everyTarget(
  run: Run,
  act: (target: Target) => Promise<Partial<Pick<RegistryReport, "state" | "uploaded">>>,
): Promise<void> {
  await Promise.all(
    run.context.targets
      .filter((target) => run.rows.get(target.name)?.state !== "failed")
      .map(async (target) => {
        const started = performance.now();
        try {
          const result = await act(target);
          update(run, target, {
            ...result,
            durationMs: (run.rows.get(target.name)?.durationMs ?? 0) + since(started),
          });
        } catch (error) {
          fail(run, target, error, started);
        }
      }),
  );
}

function update(run: Run, target: Target, change: Partial<RegistryReport>): void {
  const before = run.rows.get(target.name) ?? notStarted(target, run.candidate.service, run.tag);
  run.rows.set(target.name, { ...before, ...change });
}

function fail(run: Run, target: Target, error: unknown, started: number): void {
  // The caller stopped it: that is not this registry's fault.
  const stopped = interrupted(run.context);
  if (stopped !== undefined) throw stopped;
  const problems: Problem[] = [problemOf(isTgoError(error) ? error : unexpected(target, error))];
  update(run, target, { state: "failed", problems, durationMs: since(started) });
}

function unexpected(target: Target, error: unknown): TgoError {
  return new TgoError("UNAVAILABLE", messageOf(error), {
    where: target.registry.host,
    remedy:
      "Check that the registry answers and that the credentials may push, then run the same command again.",
    cause: error,
  });
}

function since(started: number): number {
  return Math.round(performance.now() - started);
}
