import type { PrepareOptions } from "@tgo/builders";
import type { Service } from "@tgo/catalog";
import { defined, type ServiceReport } from "@tgo/report";
import { candidateTag } from "../candidate/candidate-key.js";
import type { Prepared } from "../candidate/prepared.js";
import { notStarted } from "../publish/not-started.js";
import { candidateOf } from "../publish/publish.js";
import { interruptionOf } from "../publish/service-report.js";
import type { PublishContext } from "../targets/publish-context.js";
import { splitByRequired } from "../targets/split-by-required.js";
import { checkOf, registryChecks, skipped } from "./check-lines.js";
import { checkRegistry, withShortTimeouts, type RegistryCheck, type Subject } from "./check-registry.js";
import type { ClockSkew } from "./clock.js";
import { distinct, withRemedy } from "./problems.js";
import { checkBuild, readInputs } from "./read-inputs.js";

export interface ServiceCheck {
  readonly report: ServiceReport;
  /** Absent if the source or a base image is not usable. */
  readonly prepared: Prepared | undefined;
  readonly skews: readonly ClockSkew[];
  /** Whether registries have the version, by registry. */
  readonly existing: readonly RegistryCheck["existing"][];
  /** No registry has its candidate. */
  readonly needsBuild: boolean;
}

/**
 * `short`: a registry must respond within seconds. `release`: required registries get the timeouts and retries of a
 * release; optional ones are not waited for once the required ones have responded.
 */
export type RegistryTimeouts = "short" | "release";

export interface ServiceOptions extends PrepareOptions {
  readonly timeouts: RegistryTimeouts;
}

/** Checks everything a release of one service needs, and reports all problems at once. Builds and pushes nothing. */
export async function checkService(
  context: PublishContext,
  name: string,
  service: Service,
  { timeouts, ...options }: ServiceOptions,
): Promise<ServiceCheck> {
  const started = performance.now();
  const inputs = readInputs(context, name, service, options);
  const key = inputs.then(({ prepared }) => prepared?.key);
  const subject = { service: name, version: options.version, key };
  const registries = checkRegistries(context, subject, { timeouts, meanwhile: inputs });
  const build = inputs.then(async ({ request }) => {
    if (request === undefined) return undefined;
    // A release does not need what only a build needs if a registry has the image.
    const isBuilt = timeouts === "release" && (await registries).some(({ hasCandidate }) => hasCandidate);
    return isBuilt ? undefined : checkBuild(request);
  });
  const [{ prepared, problems: inputProblems, checks: inputChecks }, checks, built] = await Promise.all([
    inputs,
    registries,
    build,
  ]);
  const buildProblems = built ?? [];
  const interruption = interruptionOf(context);
  if (interruption !== undefined) throw interruption;
  const problems = withRemedy(distinct([...inputProblems, ...buildProblems]), REMEDY);
  const found = checks.find(({ hasCandidate }) => hasCandidate);
  const isReady = problems.length === 0 && !checks.some((check) => blocksRelease(context, check));
  return {
    report: defined({
      service: name,
      state: isReady ? ("ready" as const) : ("failed" as const),
      revision: prepared?.request.source.revision,
      tag: prepared === undefined ? undefined : candidateTag(prepared.key),
      digest: found?.report.digest,
      variants: [],
      checks: [
        ...inputChecks,
        built === undefined
          ? skipped("lock, files and secrets", "not needed, or the source cannot be read")
          : checkOf("lock, files and secrets", buildProblems, ["the build has what it needs"]),
        ...registryChecks(checks, options.version),
      ],
      registries: checks.map(({ report }) => report),
      problems,
      notes: prepared === undefined ? [] : candidateOf(context, prepared).notes,
      durationMs: Math.round(performance.now() - started),
    }),
    prepared,
    skews: checks.flatMap(({ skew }) => skew ?? []),
    existing: checks.map((check) => check.existing),
    needsBuild: found === undefined,
  };
}

const REMEDY =
  "Fix it in the service's source, or in its definition in tgo.catalog.json, and run the same command again.";

/** Whether nothing can be released without this registry. */
export function blocksRelease(
  context: Pick<PublishContext, "targets">,
  { report }: Pick<RegistryCheck, "report">,
): boolean {
  return (
    report.state === "failed" &&
    splitByRequired(context).required.some(({ name }) => name === report.registry)
  );
}

/**
 * Checks all registries at once.
 * @param meanwhile other work that takes its time anyway: optional registries may respond as long as it lasts
 */
export async function checkRegistries(
  context: Pick<PublishContext, "targets">,
  subject: Subject,
  { timeouts, meanwhile }: { readonly timeouts: RegistryTimeouts; readonly meanwhile: Promise<unknown> },
): Promise<RegistryCheck[]> {
  const { required } = splitByRequired(context);
  const checks = context.targets.map((target) => {
    const keepsTimeouts = timeouts === "release" && required.includes(target);
    return { target, check: checkRegistry(keepsTimeouts ? target : withShortTimeouts(target), subject) };
  });
  const requiredChecks = checks.flatMap(({ target, check }) => (required.includes(target) ? [check] : []));
  const deadline = Promise.all([meanwhile, ...requiredChecks]);
  return Promise.all(
    checks.map(({ target, check }) => {
      if (timeouts === "short" || required.includes(target)) return check;
      const unknown = {
        report: notStarted(target, subject.service),
        skew: undefined,
        accepts: false,
        hasCandidate: false,
        existing: undefined,
      };
      return Promise.race([check, deadline.then(() => unknown)]);
    }),
  );
}
