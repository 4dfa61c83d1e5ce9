import type { GateReport, Report, ServiceReport } from "./report.js";
import { count, duration, registryCount } from "./quantities.js";

/** "release 1.2.3", "publish" */
export function title({ command, version }: Report): string {
  return version === undefined ? command : `${command} ${version}`;
}

/** What the run covered and how long it took: "2 services × 3 registries × 2 platforms in 41.2 s". */
export function scope(report: Report): string {
  if (report.services.length === 0) return `after ${duration(report.durationMs)}`;
  const registries = new Set(report.services.flatMap((s) => s.registries.map((r) => r.registry))).size;
  const platforms = new Set(report.services.flatMap((s) => s.variants.map((v) => v.platform))).size;
  const parts = [count(report.services.length, "service")];
  if (registries > 0) parts.push(registryCount(registries));
  if (platforms > 0) parts.push(count(platforms, "platform"));
  return `${parts.join(" × ")} in ${duration(report.durationMs)}`;
}

/** How a run ended. */
export interface RunOutcome {
  /** "ok", "failed", "released, incomplete" */
  readonly words: string;
  readonly tone: "good" | "waiting" | "bad";
}

/** A release that is out, but incomplete in optional registries, is neither ok nor failed. */
export function outcome(report: Report): RunOutcome {
  if (report.ok) return { words: "ok", tone: "good" };
  if (notMoved(report).length > 0 && report.services.every(isOut)) return { words: "not moved", tone: "bad" };
  if (!isIncomplete(report)) return { words: "failed", tone: "bad" };
  return {
    words: report.command === "promote" ? "done, incomplete" : "released, incomplete",
    tone: "waiting",
  };
}

function isIncomplete({ ok, gate, services, problems = [] }: Report): boolean {
  return !ok && gate?.open === true && problems.length === 0 && services.length > 0 && services.every(isOut);
}

/** Services whose floating tags a promotion left on a newer version. */
function notMoved({ services }: Report): readonly string[] {
  return services.flatMap(({ service, state }) => (state === "not moved" ? [service] : []));
}

/** Whether a service has reached every required registry. */
function isOut({ state }: ServiceReport): boolean {
  return state !== "failed" && state !== "not released";
}

/** What failed: "1 of 2 services failed: tgo-api"; undefined when nothing did. */
export function failure(report: Report): string | undefined {
  const { services, gate, problems = [], version = "it" } = report;
  if (report.ok) return undefined;
  if (gate?.open === false) return closed(gate, version);
  if (services.length === 0) return "failed before any service started";
  const failed = services.filter((service) => !isOut(service)).map(({ service }) => service);
  const all = count(services.length, "service");
  const counted = services.length === 1 ? all : `${failed.length} of ${all}`;
  if (gate?.open === true) {
    if (failed.length > 0) return `${version} is only partly released; incomplete: ${failed.join(", ")}`;
    const kept = notMoved(report);
    if (kept.length > 0)
      return `tags of ${kept.join(", ")} were not moved to ${version}: a newer version has them`;
    return `${version} is out. ${isIncomplete(report) ? whatIsMissing(report) : "What failed afterwards is listed below."}`;
  }
  if (failed.length > 0) return `${counted} failed: ${failed.join(", ")}`;
  return problems.length > 0 ? "a problem of all services must be fixed first" : undefined;
}

function closed({ existing }: GateReport, version: string): string {
  if (existing === "other")
    return `${version} was released before with other content, and a version's tag never changes: this run tagged nothing`;
  if (existing === "same") return `this run tagged nothing; ${version} exists from an earlier run`;
  return `${version} is not released: no version tag and no latest was moved`;
}

/** What a released version lacks. */
function whatIsMissing({ services, next, nextInWords = next }: Report): string {
  const inRegistry = services.some(
    ({ registries, tags = [] }) =>
      registries.some(({ state }) => state === "failed" || state === "not started") ||
      tags.some(({ state }) => state === "failed" || state === "not started"),
  );
  const what = inRegistry
    ? "Optional registries are incomplete"
    : "Its record is not attached to every image";
  return nextInWords === undefined ? `${what}.` : `${what}; the same command completes it.`;
}

/** The commit that all services are of, if they are of one. */
export function sharedRevision({ services }: Report): string | undefined {
  const [revision, ...others] = new Set(services.map((service) => service.revision));
  return services.length > 1 && others.length === 0 ? revision : undefined;
}

/** What it is made of and what ran it. */
export function provenance(report: Report): string {
  const revision = sharedRevision(report);
  return [...(revision === undefined ? [] : [`revision ${revision}`]), ...ranBy(report)].join(" · ");
}

/** The engine and the pipelines. */
export function ranBy({ engine, pipeline }: Report): string[] {
  return [
    ...(engine === undefined ? [] : [engine]),
    ...(pipeline === undefined ? [] : [`pipeline ${pipeline}`]),
  ];
}
