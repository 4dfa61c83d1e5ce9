import type { Service } from "@tgo/catalog";
import type { Problem, ServiceReport } from "@tgo/report";
import { interrupted } from "../../attempt.js";
import { divide } from "../../brought.js";
import { buildBases, catalogImages, inputChecks, type BuildBases } from "../../build/index.js";
import { candidateTag } from "../../candidate.js";
import { baseImage, type Context } from "../../context.js";
import { notStarted } from "../../not-started.js";
import {
  complete,
  openRequest,
  refuseUnreleasable,
  type Prepared,
  type PrepareOptions,
} from "../../prepare.js";
import { candidateOf } from "../../publish.js";
import type { Skew } from "./clock.js";
import { checked, distinct, problemsOf, withRemedy, type Checked } from "./problems.js";
import { checkRegistry, impatient, type Standing, type Subject } from "./registry.js";

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
  context: Context,
  name: string,
  service: Service,
  options: ServiceOptions,
): Promise<Readiness> {
  const started = performance.now();
  const inputs = checkInputs(context, name, service, options);
  const key = inputs.then(({ value }) => value?.key);
  const subject = { service: name, version: options.version, key };
  const [{ value: prepared, problems }, standings] = await Promise.all([
    inputs,
    checkRegistries(context, subject, options.patient, inputs),
  ]);
  const stopped = interrupted(context);
  if (stopped !== undefined) throw stopped;
  const held = standings.find(({ holds }) => holds);
  return {
    report: {
      service: name,
      state:
        problems.length > 0 || standings.some((standing) => isBlocked(context, standing))
          ? "failed"
          : "ready",
      revision: prepared?.request.source.revision,
      tag: prepared === undefined ? undefined : candidateTag(prepared.key),
      digest: held?.report.digest,
      variants: [],
      registries: standings.map(({ report }) => report),
      problems,
      notes: prepared === undefined ? [] : candidateOf(context, prepared).notes,
      durationMs: Math.round(performance.now() - started),
    },
    prepared,
    skews: standings.flatMap(({ skew }) => skew ?? []),
    toBuild: held === undefined,
  };
}

/** Whether nothing can be released without this registry. */
export function isBlocked(context: Pick<Context, "targets">, { report }: Pick<Standing, "report">): boolean {
  return report.state === "failed" && divide(context).needed.some(({ name }) => name === report.registry);
}

/**
 * Asks all registries at once.
 * @param patient whether to wait for required ones as long as a release does, and for the others no longer than that
 * @param others what is waited for anyway
 */
export async function checkRegistries(
  context: Pick<Context, "targets">,
  subject: Subject,
  patient: boolean,
  others: Promise<unknown>,
): Promise<Standing[]> {
  const { needed } = divide(context);
  const asked = context.targets.map((target) => ({
    target,
    standing: checkRegistry(patient && needed.includes(target) ? target : impatient(target), subject),
  }));
  const waitedFor = Promise.all([
    others,
    ...asked.filter(({ target }) => needed.includes(target)).map(({ standing }) => standing),
  ]);
  return Promise.all(
    asked.map(({ target, standing }) => {
      if (!patient || needed.includes(target)) return standing;
      const unknown = { report: notStarted(target, subject.service), skew: undefined, holds: false };
      return Promise.race([standing, waitedFor.then(() => unknown)]);
    }),
  );
}

const MEND = "Mend it in the service's source, or in its definition in tgo.catalog.json, and ask again.";

/** The source, its lock and files, and every base on every platform. */
async function checkInputs(
  context: Context,
  name: string,
  service: Service,
  options: ServiceOptions,
): Promise<Checked<Prepared>> {
  const { value: request, problems } = await checked(() => openRequest(context, name, service, options));
  if (request === undefined) {
    // What the catalog names can be asked for without a source.
    const bases = await checkBases(context, catalogImages(context, service.build));
    return { value: undefined, problems: withRemedy(distinct([...problems, ...bases]), MEND) };
  }
  const [completed, ...found] = await Promise.all([
    checked(() => complete(request)),
    problemsOf(() => {
      refuseUnreleasable(request);
    }),
    ...inputChecks(request).map((check) => problemsOf(() => check)),
  ]);
  // The first base that is missing is not the only one, perhaps.
  const bases =
    completed.value === undefined
      ? await checked(() => buildBases(request)).then(({ value }) => checkBases(context, value?.images ?? []))
      : [];
  const all = distinct([...found.flat(), ...completed.problems, ...bases]);
  return { value: completed.value, problems: withRemedy(all, MEND) };
}

async function checkBases(context: Context, images: BuildBases["images"]): Promise<Problem[]> {
  const found = await Promise.all(
    images.map(({ reference, platform }) => problemsOf(() => baseImage(context, reference, platform))),
  );
  return found.flat();
}
