import type { Service } from "@tgo/catalog";
import type { Problem } from "@tgo/errors";
import { defined, type RegistryReport, type ServiceReport } from "@tgo/report";
import type { Prepared } from "../candidate/prepared.js";
import { interruptionOf } from "../publish/service-report.js";
import type { Assembling } from "../publish/assembly.js";
import type { PublishContext, TargetContext } from "../targets/publish-context.js";
import { checkEngine } from "./check-engine.js";
import { blocksRelease, checkRegistries, checkService, type ServiceOptions } from "./check-service.js";
import { clockCheck } from "./check-lines.js";
import { clockProblems } from "./clock.js";
import { notReported } from "./problems.js";

/** Whether a release can start, and everything blocking it. */
export interface Preflight {
  readonly services: readonly ServiceReport[];
  /** Problems of no single service: the engine's disk and emulation, clocks. */
  readonly problems: readonly Problem[];
  /** No problem at all, except in optional registries. */
  readonly ready: boolean;
  /** No problem that blocks a release. */
  readonly canStart: boolean;
  /** Set if a registry has the version: with this content everywhere, or with other content somewhere. */
  readonly existing?: "same" | "other";
  /** Prepared services by name, for the builds that follow. */
  readonly prepared: ReadonlyMap<string, Prepared>;
}

/**
 * Checks everything a release needs, for all services and registries at once, within seconds: sources, locks and base
 * images, push access, the version's tag, the engine. Builds and pushes nothing. Problems are in the result, never
 * thrown.
 */
export async function preflight(
  context: PublishContext & Assembling,
  services: readonly { readonly name: string; readonly service: Service }[],
  options: ServiceOptions,
): Promise<Preflight> {
  const checks = await Promise.all(
    services.map(({ name, service }) =>
      context.progress.step(
        { step: "preflight", service: name },
        () => checkService(context, name, service, options),
        ({ report }) => ({ state: report.state === "ready" ? "done" : "failed" }),
      ),
    ),
  );
  const builds = checks.filter(({ needsBuild }) => needsBuild).length;
  // The engine matters only if something must be built.
  const engine =
    builds === 0 ? { blocking: [], warnings: [], checks: [] } : await checkEngine(context, builds);
  const skews = checks.flatMap((check) => check.skews);
  const clock = clockProblems(skews);
  // The same for every service: a report shows them once.
  const shared = [...engine.checks, ...clockCheck(skews, clock)];
  const canStart = engine.blocking.length === 0 && checks.every(({ report }) => report.state === "ready");
  const reported = checks.flatMap(({ report }) => report.problems);
  const found = checks.flatMap((check) => check.existing);
  const existing = (["other", "same"] as const).find((each) => found.includes(each));
  return {
    ...defined({ existing }),
    services: checks.map(({ report }) => ({ ...report, checks: [...(report.checks ?? []), ...shared] })),
    problems: notReported([...engine.blocking, ...engine.warnings, ...clock], reported),
    ready: canStart && engine.warnings.length === 0 && clock.length === 0,
    canStart,
    prepared: new Map(
      checks.flatMap(({ prepared }) => (prepared ? [[prepared.request.name, prepared]] : [])),
    ),
  };
}

/** For tags of published images, only push access and clocks matter. */
export async function preflightRegistries(
  context: TargetContext,
  services: readonly string[],
): Promise<Pick<Preflight, "services" | "problems" | "canStart">> {
  const noKey = Promise.resolve(undefined);
  const checked = await Promise.all(
    services.map(async (service) => {
      const started = performance.now();
      const subject = { service, version: undefined, key: noKey };
      const checks = await checkRegistries(context, subject, {
        timeouts: "release",
        meanwhile: Promise.resolve(),
      });
      const registries: readonly RegistryReport[] = checks.map(({ report }) => report);
      const report: ServiceReport = {
        service,
        state: checks.some((check) => blocksRelease(context, check)) ? "failed" : "ready",
        variants: [],
        registries,
        problems: [],
        notes: [],
        durationMs: Math.round(performance.now() - started),
      };
      return { report, skews: checks.flatMap(({ skew }) => skew ?? []) };
    }),
  );
  const interruption = interruptionOf(context);
  if (interruption !== undefined) throw interruption;
  return {
    services: checked.map(({ report }) => report),
    problems: clockProblems(checked.flatMap(({ skews }) => skews)),
    canStart: checked.every(({ report }) => report.state === "ready"),
  };
}
