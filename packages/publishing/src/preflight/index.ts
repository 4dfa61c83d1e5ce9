import type { Problem } from "@tgo/errors";
import type { Service } from "@tgo/catalog";
import type { RegistryReport, ServiceReport } from "@tgo/report";
import { interruptionOf } from "../publish/service-report.js";
import type { TargetContext, PublishContext } from "../targets/publish-context.js";
import { type Prepared } from "../candidate/prepare-candidate.js";
import { clockProblems } from "./clock.js";
import { checkEngine } from "./engine.js";
import { notReported } from "./problems.js";
import { checkRegistries, checkService, isBlocked, type ServiceOptions } from "./service.js";

/** Whether a release can begin, and all that speaks against it. */
export interface Preflight {
  readonly services: readonly ServiceReport[];
  /** What is no single service's: the engine's disk and emulation, the clock. */
  readonly problems: readonly Problem[];
  /** Nothing is wrong, but perhaps with a registry that a release does not wait for. */
  readonly ready: boolean;
  /** What is wrong, if anything, a release can do without. */
  readonly mayBegin: boolean;
  /** What was read of the services, by their names, for the builds that follow. */
  readonly prepared: ReadonlyMap<string, Prepared>;
}

/**
 * Asks everything that a release needs, of all services and registries at once, in seconds: sources, locks and bases,
 * the right to push, the version's tag, the engine. Builds and pushes nothing; what is wrong is in the result, never
 * thrown.
 */
export async function preflight(
  context: PublishContext,
  services: readonly { readonly name: string; readonly service: Service }[],
  options: ServiceOptions,
): Promise<Preflight> {
  const checked = await Promise.all(
    services.map(({ name, service }) =>
      context.progress.step(
        { step: "preflight", service: name },
        () => checkService(context, name, service, options),
        ({ report }) => ({ state: report.state === "ready" ? "done" : "failed" }),
      ),
    ),
  );
  const builds = checked.filter(({ toBuild }) => toBuild).length;
  // What is there already needs no engine.
  const engine = builds === 0 ? { stopping: [], told: [] } : await checkEngine(context, builds);
  const clock = clockProblems(checked.flatMap(({ skews }) => skews));
  const mayBegin = engine.stopping.length === 0 && checked.every(({ report }) => report.state === "ready");
  const told = checked.flatMap(({ report }) => report.problems);
  return {
    services: checked.map(({ report }) => report),
    problems: notReported([...engine.stopping, ...engine.told, ...clock], told),
    ready: mayBegin && engine.told.length === 0 && clock.length === 0,
    mayBegin,
    prepared: new Map(
      checked.flatMap(({ prepared }) => (prepared ? [[prepared.request.name, prepared]] : [])),
    ),
  };
}

/** The part of it for tags of images that are out: whether every registry takes pushes, and the clock. */
export async function preflightRegistries(
  context: TargetContext,
  services: readonly string[],
): Promise<Pick<Preflight, "services" | "problems" | "mayBegin">> {
  const nothing = Promise.resolve(undefined);
  const checked = await Promise.all(
    services.map(async (service) => {
      const started = performance.now();
      const subject = { service, version: undefined, key: nothing };
      const standings = await checkRegistries(context, subject, true, nothing);
      const registries: readonly RegistryReport[] = standings.map(({ report }) => report);
      const report: ServiceReport = {
        service,
        state: standings.some((standing) => isBlocked(context, standing)) ? "failed" : "ready",
        variants: [],
        registries,
        problems: [],
        notes: [],
        durationMs: Math.round(performance.now() - started),
      };
      return { report, skews: standings.flatMap(({ skew }) => skew ?? []) };
    }),
  );
  const stopped = interruptionOf(context);
  if (stopped !== undefined) throw stopped;
  return {
    services: checked.map(({ report }) => report),
    problems: clockProblems(checked.flatMap(({ skews }) => skews)),
    mayBegin: checked.every(({ report }) => report.state === "ready"),
  };
}
