import { isTgoError, TgoError } from "@tgo/errors";
import { copyImage } from "@tgo/oci";
import { problemOf, type RegistryReport, type ServiceReport } from "@tgo/report";
import { CANDIDATE_ANNOTATION } from "../annotations.js";
import { attempt, interrupted } from "../attempt.js";
import { candidateTag } from "../candidate.js";
import { repositoryOf, type Target } from "../context.js";
import type { Destination } from "../destination.js";
import { notStarted } from "../not-started.js";
import { registryRows, variantRows, verifyTag } from "../verify.js";

/**
 * The image that is out as a version: verified where it is, and copied by digest to where it is not. Nothing is built.
 * A failure is in the report.
 */
export function bringVersion(context: Destination, service: string, version: string): Promise<ServiceReport> {
  return attempt(context, service, async () => {
    const held = await Promise.all(context.targets.map((target) => find(context, target, service, version)));
    const holders = held.flatMap(({ target, digest }) => (digest === undefined ? [] : [{ target, digest }]));
    const digest = holders[0]?.digest;
    if (digest === undefined) throw notThere(service, version);
    const verification = await verifyTag(
      context,
      service,
      holders.map(({ target }) => target),
      version,
      { elf: false },
    );
    const rows = registryRows(context.targets, service, version, verification);
    const from = holders.find(({ target, digest: own }) => own === digest && isGood(rows, target))?.target;
    const key = verification.annotations[CANDIDATE_ANNOTATION];
    const tag = key === undefined ? version : candidateTag(key);
    const registries = await Promise.all(
      held.map(async ({ target, digest: own, failed }, index): Promise<RegistryReport> => {
        const row = rows[index] ?? notStarted(target, service, version);
        if (failed !== undefined) return { ...row, state: "failed", problems: [problemOf(failed)] };
        if (own !== undefined) return row.state === "verified" ? { ...row, state: "already there" } : row;
        if (from === undefined) return notStarted(target, service, version);
        return copy(context, { from, target, service, digest, tag });
      }),
    );
    return {
      service,
      state: registries.every(({ state }) => state === "already there") ? "already there" : "published",
      revision: verification.annotations["org.opencontainers.image.revision"],
      tag,
      digest,
      variants: variantRows(context, verification),
      registries,
      problems: [],
      notes: [],
    };
  });
}

interface Held {
  readonly target: Target;
  readonly digest?: string | undefined;
  readonly failed?: unknown;
}

async function find(context: Destination, target: Target, service: string, version: string): Promise<Held> {
  try {
    const found = await target.client.resolve(repositoryOf(target, service), version, { push: true });
    return { target, digest: found?.digest };
  } catch (failed) {
    const stopped = interrupted(context);
    if (stopped !== undefined) throw stopped;
    return { target, failed };
  }
}

function notThere(service: string, version: string): TgoError {
  return new TgoError("NOT_FOUND", `no registry has version ${version} of ${service}`, {
    remedy: `Release it first: tgo release --version ${version}. What is out is shown by tgo status.`,
  });
}

function isGood(rows: readonly RegistryReport[], target: Target): boolean {
  return rows.some(({ registry, state }) => registry === target.name && state === "verified");
}

async function copy(
  context: Destination,
  of: { from: Target; target: Target; service: string; digest: string; tag: string },
): Promise<RegistryReport> {
  const { from, target, service, digest, tag } = of;
  const started = performance.now();
  const row = { ...notStarted(target, service, tag), digest };
  const durationMs = (): number => Math.round(performance.now() - started);
  try {
    const copied = await context.progress.step({ step: "copy", service, registry: target.name }, () =>
      copyImage({
        from: { registry: from.client, repository: repositoryOf(from, service) },
        to: { registry: target.client, repository: repositoryOf(target, service) },
        digest,
        tag,
        thorough: true,
      }),
    );
    return { ...row, state: "done", uploaded: copied.uploaded.bytes, durationMs: durationMs() };
  } catch (error) {
    if (isTgoError(error) && error.code === "INTERRUPTED") throw error;
    return { ...row, state: "failed", problems: [problemOf(error)], durationMs: durationMs() };
  }
}
