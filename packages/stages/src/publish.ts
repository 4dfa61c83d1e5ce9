import type { Service } from "@tgo/catalog";
import { isTgoError, TgoError } from "@tgo/errors";
import { copyImage, finaliseImage, pushImage, type FinalImage } from "@tgo/oci";
import {
  problemOf,
  type Problem,
  type RegistryReport,
  type ServiceReport,
  type VariantReport,
} from "@tgo/report";
import { CANDIDATE_ANNOTATION, proofAnnotations } from "./annotations.js";
import { buildVariants, type Built } from "./build/index.js";
import { standardLabels } from "./build/configure.js";
import { candidateTag, stagingTag } from "./candidate.js";
import { checkVariant, type Checked } from "./check.js";
import { referenceOf, repositoryOf, type Context, type Target } from "./context.js";
import { messageOf } from "./exec-error.js";
import { prepare, type Prepared, type PrepareOptions } from "./prepare.js";
import { smokeVariant, type Smoked } from "./smoke.js";
import { uploadVariants } from "./upload.js";
import { registryRows, variantRows, verifyTag } from "./verify.js";

/**
 * Publishes one service's candidate: what a registry already holds is copied from there; otherwise both
 * variants are built, checked, run, uploaded, finalised and verified. Never throws for the service's own
 * failure: the report says what was done, what failed and what was not started.
 */
export async function publishService(
  context: Context,
  name: string,
  service: Service,
  options: PrepareOptions,
): Promise<ServiceReport> {
  const started = performance.now();
  const rows = new Map<string, RegistryReport>(
    context.targets.map((target) => [target.name, notStarted(target, name)]),
  );
  const run: Run = { context, name, service, rows };
  try {
    const done = await publishCandidate(run, options);
    const failed = [...rows.values()].some(({ state }) => state === "failed" || state === "not started");
    const state = failed ? "failed" : done.existing ? "already there" : "published";
    return {
      service: name,
      state,
      ...done.facts,
      registries: [...rows.values()],
      problems: [],
      durationMs: since(started),
    };
  } catch (error) {
    return {
      service: name,
      state: "failed",
      variants: [],
      registries: [...rows.values()],
      problems: error instanceof RegistriesFailed ? [] : [problemOf(interrupted(context) ?? error)],
      notes: [],
      durationMs: since(started),
    };
  }
}

interface Run {
  readonly context: Context;
  readonly name: string;
  readonly service: Service;
  /** By registry: what is known of it so far. */
  readonly rows: Map<string, RegistryReport>;
}

interface Facts {
  readonly revision: string;
  readonly tag: string;
  readonly digest: string | undefined;
  readonly variants: readonly VariantReport[];
  readonly notes: readonly string[];
}

/** Registries failed; their rows say how. */
class RegistriesFailed extends Error {}

async function publishCandidate(
  run: Run,
  options: PrepareOptions,
): Promise<{ existing: boolean; facts: Facts }> {
  const { context, name, service } = run;
  const prepared = await prepare(context, name, service, options);
  const tag = candidateTag(prepared.key);
  for (const target of context.targets) update(run, target, { reference: referenceOf(target, name, tag) });
  const holders = await findCandidate(run, prepared, tag);
  const image = holders.digest === undefined ? await make(run, prepared, tag) : undefined;
  if (holders.digest !== undefined) await copyMissing(run, holders.targets, holders.digest, tag);
  const reached = context.targets.filter((target) => run.rows.get(target.name)?.state !== "failed");
  const digest = holders.digest ?? image?.digest;
  const verification = await verifyTag(context, name, reached, tag, {
    digest,
    annotations: { [CANDIDATE_ANNOTATION]: prepared.key },
    elf: false,
  });
  for (const row of registryRows(reached, name, tag, verification)) {
    const before = run.rows.get(row.registry);
    const state = row.state === "verified" ? (before?.state ?? "done") : row.state;
    run.rows.set(row.registry, {
      ...row,
      state,
      uploaded: before?.uploaded,
      durationMs: (before?.durationMs ?? 0) + row.durationMs,
    });
  }
  const variants = variantRows(context, verification).map((variant) => ({
    ...variant,
    smoke: variant.smoke && { ...variant.smoke, recorded: holders.digest !== undefined },
  }));
  return {
    existing: holders.digest !== undefined,
    facts: {
      revision: prepared.request.source.revision,
      tag,
      digest,
      variants,
      notes: [...(image?.notes ?? []), ...devNote(prepared)],
    },
  };
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
async function findCandidate(
  run: Run,
  prepared: Prepared,
  tag: string,
): Promise<{ targets: Target[]; digest: string | undefined }> {
  const { context, name } = run;
  const holders: Target[] = [];
  await Promise.all(
    context.targets.map(async (target) => {
      const started = performance.now();
      try {
        // With the right to push: it is needed anyway, and some registries hide a repository that is yet to come.
        const found = await target.client.resolve(repositoryOf(target, name), tag, { push: true });
        if (found === undefined) return;
        holders.push(target);
        update(run, target, { state: "already there", digest: found.digest });
      } catch (error) {
        fail(run, target, error, started);
      }
    }),
  );
  const blocked = context.targets.some(
    (target) => target.registry.required && run.rows.get(target.name)?.state === "failed",
  );
  if (blocked) throw new RegistriesFailed();
  if (holders.length === 0) return { targets: [], digest: undefined };
  const verification = await verifyTag(context, name, holders, tag, {
    quiet: true,
    annotations: { [CANDIDATE_ANNOTATION]: prepared.key },
    elf: false,
  });
  const good = verification.targets.filter(({ state }) => state === "verified");
  const targets = holders.filter(({ name: holder }) => good.some((target) => target.name === holder));
  return { targets, digest: good[0]?.digest };
}

/** Brings a candidate that some registries hold to the others, by digest. */
async function copyMissing(run: Run, holders: readonly Target[], digest: string, tag: string): Promise<void> {
  const { context, name } = run;
  const [from] = holders;
  if (from === undefined) return;
  await everyTarget(run, async (target) => {
    if (holders.includes(target)) return { state: "already there", uploaded: 0 };
    return context.progress.step({ step: "copy", service: name, registry: target.name }, async () => {
      const copied = await copyImage({
        from: { registry: from.client, repository: repositoryOf(from, name) },
        to: { registry: target.client, repository: repositoryOf(target, name) },
        digest,
        tag,
      });
      return { state: "done", uploaded: copied.uploaded.bytes };
    });
  });
}

async function make(
  run: Run,
  prepared: Prepared,
  tag: string,
): Promise<FinalImage & { notes: readonly string[] }> {
  const { context, name } = run;
  const { built, checks, smokes } = await proveService(context, prepared);
  const staging = stagingTag(prepared.key);
  const repositories = new Map(context.targets.map((target) => [target.name, repositoryOf(target, name)]));
  const uploaded: Target[] = [];
  await everyTarget(run, async (target) => {
    await context.progress.step({ step: "upload", service: name, registry: target.name }, () =>
      uploadVariants(context, target, name, built.variants, staging),
    );
    uploaded.push(target);
    return {};
  });
  const source = context.targets.find((target) => uploaded.includes(target));
  if (source === undefined) throw new RegistriesFailed();
  const from = { registry: source.client, repository: repositories.get(source.name) ?? "" };
  const labels = standardLabels(prepared.request);
  const image = await context.progress.step({ step: "finalise", service: name }, () =>
    finaliseImage({
      source: { ...from, reference: staging },
      platforms: [...context.platforms],
      created: prepared.request.source.created,
      annotations: { ...labels, [CANDIDATE_ANNOTATION]: prepared.key, ...proofAnnotations(checks, smokes) },
      manifestAnnotations: labels,
      // The engine's own lines differ from run to run.
      history: "drop",
    }),
  );
  await everyTarget(run, async (target) => {
    await context.progress.step({ step: "tag", service: name, registry: target.name }, () =>
      pushImage(image, {
        to: { registry: target.client, repository: repositories.get(target.name) ?? "" },
        from,
        tag,
      }),
    );
    return { state: "done" };
  });
  return { ...image, notes: built.notes };
}

/** Builds, checks and runs every variant of a service. */
export async function proveService(
  context: Context,
  { request }: Prepared,
  { smoke = true }: { smoke?: boolean } = {},
): Promise<{ built: Built; checks: Checked[]; smokes: Smoked[] }> {
  const { name, service } = request;
  const { progress } = context;
  const built = await progress.step(
    { step: "build", service: name },
    () => despiteOthers(context, () => buildVariants(request)),
    ({ variants }) => ({ detail: variants.map(({ platform }) => platform).join(", ") }),
  );
  const proofs = await Promise.all(
    built.variants.map(async (variant) => {
      const { platform } = variant;
      const check = await progress.step(
        { step: "check", service: name, platform },
        () => despiteOthers(context, () => checkVariant(context, name, variant, service.allowForeign)),
        ({ files, elf }) => ({ detail: `${files} files, ${elf} ELF, all for ${platform}` }),
      );
      if (!smoke) return { check, smoke: undefined };
      const smoked = await progress.step(
        { step: "smoke", service: name, platform },
        () => despiteOthers(context, () => smokeVariant(context, name, service, variant)),
        ({ machine, lines }) => ({ detail: [machine, ...lines].join("; ") }),
      );
      return { check, smoke: smoked };
    }),
  );
  return {
    built,
    checks: proofs.map(({ check }) => check),
    smokes: proofs.flatMap((proof) => proof.smoke ?? []),
  };
}

/**
 * Dagger lets equal steps of two sessions share one run. When the session that began it is stopped, the other one
 * fails with it, though nothing is wrong: once more, then.
 */
async function despiteOthers<T>(context: Context, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (context.signal?.aborted === true || !messageOf(error).includes("context canceled")) throw error;
    return run();
  }
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

/** Whatever a step says when everything is stopped, this is why. */
export function interrupted(context: Context): TgoError | undefined {
  if (context.signal?.aborted !== true) return undefined;
  return new TgoError("INTERRUPTED", "stopped before it was done; what is not tagged yet stays untagged", {
    remedy: "Run the same command again: what is done is not done twice.",
  });
}

function notStarted(target: Target, service: string): RegistryReport {
  return {
    registry: target.name,
    reference: `${target.registry.host}/${repositoryOf(target, service)}`,
    state: "not started",
    problems: [],
    durationMs: 0,
  };
}

function update(run: Run, target: Target, change: Partial<RegistryReport>): void {
  run.rows.set(target.name, { ...(run.rows.get(target.name) ?? notStarted(target, run.name)), ...change });
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
