import { isTgoError } from "@tgo/errors";
import {
  tagOfVersion,
  snapshotOf,
  type GateEntry,
  type RegistrySnapshot,
  type Version,
} from "@tgo/release-rules";
import type { RegistryReport, ServiceReport } from "@tgo/report";
import type { Target } from "../targets/target.js";
import { errorMessage } from "@tgo/builders";
import type { IndexCache } from "./read-tags.js";

/** What the gate is told of one service in one registry: the candidate as it was brought, the version's tag as seen. */
export async function gateEntry(
  target: Target,
  of: {
    readonly report: ServiceReport;
    readonly row: RegistryReport | undefined;
    readonly version: Version;
    readonly sights: readonly RegistrySnapshot[];
    readonly indexes: IndexCache;
  },
): Promise<GateEntry> {
  const { service } = of.report;
  return {
    service,
    registry: target.name,
    candidate: await candidateOf(target, of),
    versionTag: versionTagOf(of.sights, of.version, service, target.name),
  };
}

async function candidateOf(
  target: Target,
  { report, row, indexes }: { report: ServiceReport; row: RegistryReport | undefined; indexes: IndexCache },
): Promise<GateEntry["candidate"]> {
  const digest = row?.digest;
  if (row === undefined || digest === undefined || row.state === "failed" || row.state === "not started") {
    const why = row?.problems[0]?.what;
    // Where the registry is not to blame, nothing came so far.
    return why === undefined
      ? { state: "missing", why: report.problems[0]?.what.split("\n")[0] }
      : { state: "failed", why };
  }
  try {
    return { state: "verified", digest, ...(await indexes.facts(target, report.service, digest)) };
  } catch (error) {
    if (isTgoError(error) && error.code === "INTERRUPTED") throw error;
    return { state: "failed", why: isTgoError(error) ? error.what : errorMessage(error) };
  }
}

function versionTagOf(
  sights: readonly RegistrySnapshot[],
  version: Version,
  service: string,
  registry: string,
): GateEntry["versionTag"] {
  const sight = snapshotOf(sights, service, registry);
  if (sight.state !== "seen") return { state: "unknown", why: sight.why };
  const held = tagOfVersion(sight.tags, version, service);
  return held === undefined ? { state: "absent" } : { state: "present", digest: held.digest };
}
