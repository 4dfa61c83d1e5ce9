import type { PublishContext } from "../targets/publish-context.js";
import type { Service } from "@tgo/catalog";
import { defined, type ServiceReport } from "@tgo/report";
import { interruptionOf } from "../publish/service-report.js";
import { splitByRequired } from "../targets/split-by-required.js";
import { candidateTag } from "../candidate/candidate-key.js";
import { notStarted } from "../publish/not-started.js";
import { type Prepared } from "../candidate/prepare-candidate.js";
import { type PrepareOptions } from "@tgo/builders";
import { candidateOf } from "../publish/publish.js";
import type { Skew } from "./clock.js";
import { checkBuild, readInputs } from "./inputs.js";
import { distinct, withRemedy } from "./problems.js";
import { checkRegistry, withShortTimeouts, type RegistryCheck, type Subject } from "./registry.js";

/** One service before its release. */
export interface Readiness {
  readonly report: ServiceReport;
  /** Absent when its source or its bases are not what a build needs. */
  readonly prepared: Prepared | undefined;
  readonly skews: readonly Skew[];
  /** No registry has its candidate. */
  readonly toBuild: boolean;
}

export interface ServiceOptions extends PrepareOptions {
  /** Whether to wait for required registries as long as a release does, and for the others no longer than for those. */
  readonly patient: boolean;
}

/** Everything a release of one service needs, all problems at once. Builds and pushes nothing. */
export async function checkService(
  context: PublishContext,
  name: string,
  service: Service,
  options: ServiceOptions,
): Promise<Readiness> {
  const started = performance.now();
  const inputs = readInputs(context, name, service, options);
  const key = inputs.then(({ prepared }) => prepared?.key);
  const asked = checkRegistries(
    context,
    { service: name, version: options.version, key },
    options.patient,
    inputs,
  );
  const unbuildable = inputs.then(async ({ request }) => {
    // What only a build needs, a release does not wait for where a registry has the image.
    const needless = request === undefined || (options.patient && (await asked).some(({ holds }) => holds));
    return needless ? [] : checkBuild(request);
  });
  const [{ prepared, problems: unread }, standings, others] = await Promise.all([inputs, asked, unbuildable]);
  const stopped = interruptionOf(context);
  if (stopped !== undefined) throw stopped;
  const problems = withRemedy(distinct([...unread, ...others]), MEND);
  const held = standings.find(({ holds }) => holds);
  return {
    report: defined({
      service: name,
      state:
        problems.length > 0 || standings.some((standing) => isBlocked(context, standing))
          ? ("failed" as const)
          : ("ready" as const),
      revision: prepared?.request.source.revision,
      tag: prepared === undefined ? undefined : candidateTag(prepared.key),
      digest: held?.report.digest,
      variants: [],
      registries: standings.map(({ report }) => report),
      problems,
      notes: prepared === undefined ? [] : candidateOf(context, prepared).notes,
      durationMs: Math.round(performance.now() - started),
    }),
    prepared,
    skews: standings.flatMap(({ skew }) => skew ?? []),
    toBuild: held === undefined,
  };
}

const MEND = "Mend it in the service's source, or in its definition in tgo.catalog.json, and ask again.";

/** Whether nothing can be released without this registry. */
export function isBlocked(
  context: Pick<PublishContext, "targets">,
  { report }: Pick<RegistryCheck, "report">,
): boolean {
  return (
    report.state === "failed" &&
    splitByRequired(context).required.some(({ name }) => name === report.registry)
  );
}

/**
 * Asks all registries at once.
 * @param patient whether to wait for required ones as long as a release does, and for the others no longer than that
 * @param others what is waited for anyway
 */
export async function checkRegistries(
  context: Pick<PublishContext, "targets">,
  subject: Subject,
  patient: boolean,
  others: Promise<unknown>,
): Promise<RegistryCheck[]> {
  const { required } = splitByRequired(context);
  const asked = context.targets.map((target) => ({
    target,
    standing: checkRegistry(
      patient && required.includes(target) ? target : withShortTimeouts(target),
      subject,
    ),
  }));
  const waitedFor = Promise.all([
    others,
    ...asked.filter(({ target }) => required.includes(target)).map(({ standing }) => standing),
  ]);
  return Promise.all(
    asked.map(({ target, standing }) => {
      if (!patient || required.includes(target)) return standing;
      const unknown = { report: notStarted(target, subject.service), skew: undefined, holds: false };
      return Promise.race([standing, waitedFor.then(() => unknown)]);
    }),
  );
}
