import { problemOf, type Problem } from "@tgo/errors";
import type { Verification } from "@tgo/image";
import type { PlannedService, ReleaseState, TagStep } from "@tgo/release-rules";
import { isInPlace, type RegistryReport, type ServiceReport, type TagReport } from "@tgo/report";
import { splitByRequired } from "../targets/split-by-required.js";
import { referenceOf, type Target } from "../targets/target.js";
import type { ReleaseLedger } from "./release-ledger.js";
import type { Attachment } from "./release-record.js";

/** The report of one service of a release, for every registry. */
export function releaseReport(of: {
  readonly planned: PlannedService;
  readonly report: ServiceReport;
  readonly state: ReleaseState;
  readonly ledger: ReleaseLedger;
  readonly targets: readonly Target[];
  /** Final verifications of the registries that have the version tag. */
  readonly verified: readonly Verification["targets"][number][];
  readonly attached: readonly Attachment[];
  /** Whether moving the floating tags is the purpose of the run. */
  readonly promotes: boolean;
}): ServiceReport {
  const { planned, report, state, ledger, targets, verified, attached, promotes } = of;
  const { service } = planned;
  const tags = state.steps.filter((step) => step.service === service).map((step) => tagReport(step, ledger));
  const registries = report.registries.map((row): RegistryReport => {
    const found = verified.find(({ name }) => name === row.registry);
    const record = attached.find((one) => one.service === service && one.registry === row.registry);
    const target = targets.find(({ name }) => name === row.registry);
    const hasVersion = tags.some(
      (tag) => tag.registry === row.registry && tag.tag === planned.tags.version && isInPlace(tag),
    );
    return {
      ...row,
      // What users pull, once it is there.
      ...(hasVersion && target !== undefined
        ? { reference: referenceOf(target, service, planned.tags.version) }
        : {}),
      ...(found === undefined || found.state === "verified"
        ? {}
        : { state: "failed" as const, problems: found.problems }),
      ...(record === undefined ? {} : { record: record.state }),
      ...(record?.problem === undefined ? {} : { problems: [...row.problems, record.problem] }),
    };
  });
  const required = new Set(splitByRequired({ targets }).required.map(({ name }) => name));
  const released = isComplete({ tags, registries }, (registry) => required.has(registry));
  const hasWritten = tags.some(({ state }) => state === "done") || report.state === "published";
  const kept = promotes ? keptTags(planned, state) : undefined;
  return {
    ...report,
    state: !released
      ? "not released"
      : kept !== undefined
        ? "not moved"
        : hasWritten
          ? "released"
          : "already there",
    registries,
    tags,
    problems: kept === undefined ? report.problems : [...report.problems, kept],
    notes: [
      ...report.notes,
      ...ledger.raceNotes(service),
      ...attached.flatMap((one) => (one.service === service ? (one.note ?? []) : [])),
      ...state.newerReleases.filter((line) => line.startsWith(`${service}:`)),
    ],
  };
}

/** Tags that a promotion was to move and left on a newer version. In a release that is as intended. */
function keptTags({ service, tags }: PlannedService, { steps }: ReleaseState): Problem | undefined {
  const found = steps.flatMap(({ status, ...step }) =>
    step.service === service && status.state === "stays" ? [{ tag: step.tag, newer: status.newer.text }] : [],
  );
  if (found.length === 0) return undefined;
  const names = [...new Set(found.map(({ tag }) => tag))];
  const newer = [...new Set(found.map(({ newer: version }) => version))].join(", ");
  const [stay, them] = names.length === 1 ? ["stays", "it"] : ["stay", "them"];
  return {
    code: "CONFLICT",
    what: `NOT MOVED to ${tags.version}: ${names.join(", ")} ${stay} on a newer version (${newer})`,
    remedy: `To move ${them} back to ${tags.version}, add --allow-backwards.`,
  };
}

/** Whether all tags are in place, in the registries that count. */
export function isComplete(
  { tags = [], registries }: Pick<ServiceReport, "tags" | "registries">,
  counts: (registry: string) => boolean = () => true,
): boolean {
  return (
    tags.filter(({ registry }) => counts(registry)).every(isInPlace) &&
    registries.filter(({ registry }) => counts(registry)).every(({ state }) => state !== "failed")
  );
}

function tagReport(step: TagStep, ledger: ReleaseLedger): TagReport {
  const { registry, tag, status } = step;
  const problem = ledger.problem(step);
  const written = ledger.written(step);
  const before = written === undefined ? step.before : written.before;
  const was = before === undefined || before.digest === step.digest ? undefined : before;
  const row = { registry, tag, ...(was === undefined ? {} : { before: was.version?.text ?? was.digest }) };
  switch (status.state) {
    case "already there":
      return { ...row, state: written === undefined ? "already there" : "done" };
    case "stays":
      return { ...row, state: "stays", told: status.message };
    case "refused":
      // The failure of this run's own write says more than the tag it left behind.
      return { ...row, state: "failed", problem: problem ?? problemOf(status.error) };
    case "to write":
      if (ledger.isNewerThanSnapshot(step)) return { ...row, state: "done" };
      return problem === undefined ? { ...row, state: "not started" } : { ...row, state: "failed", problem };
    case "missing":
    case "unreachable":
      return problem === undefined
        ? { ...row, state: "not started", told: status.message }
        : { ...row, state: "failed", problem };
  }
}
