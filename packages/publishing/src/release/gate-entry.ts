import { errorMessage } from "@tgo/builders";
import { isTgoError } from "@tgo/errors";
import {
  snapshotOf,
  tagsOfVersion,
  type GateEntry,
  type RegistrySnapshot,
  type Version,
} from "@tgo/release-rules";
import { defined, type RegistryReport, type ServiceReport } from "@tgo/report";
import type { Target } from "../targets/target.js";
import type { IndexCache } from "./index-cache.js";

/** The gate's entry for one service in one registry: the candidate there, and the version's tag as last read. */
export async function gateEntry(
  target: Target,
  of: {
    readonly report: ServiceReport;
    readonly row: RegistryReport | undefined;
    readonly version: Version;
    readonly snapshots: readonly RegistrySnapshot[];
    readonly indexes: IndexCache;
  },
): Promise<GateEntry> {
  const { service } = of.report;
  return {
    service,
    registry: target.name,
    candidate: await gateCandidate(target, of),
    versionTag: versionTagOf(target, service, of),
  };
}

async function gateCandidate(
  target: Target,
  { report, row, indexes }: { report: ServiceReport; row: RegistryReport | undefined; indexes: IndexCache },
): Promise<GateEntry["candidate"]> {
  const digest = row?.digest;
  if (row === undefined || digest === undefined || row.state === "failed" || row.state === "not started") {
    const why = row?.problems[0]?.what;
    // Without a problem of the registry, the candidate just has not arrived there.
    return why === undefined
      ? { state: "missing", ...defined({ why: report.problems[0]?.what.split("\n")[0] }) }
      : { state: "failed", why };
  }
  try {
    return { state: "verified", digest, ...(await indexes.identity(target, report.service, digest)) };
  } catch (error) {
    if (isTgoError(error) && error.code === "INTERRUPTED") throw error;
    return { state: "failed", why: isTgoError(error) ? error.what : errorMessage(error) };
  }
}

/** The version's tag. Of several spellings, one with another image than the candidate's counts: it closes the gate. */
function versionTagOf(
  target: Target,
  service: string,
  of: {
    readonly row: RegistryReport | undefined;
    readonly version: Version;
    readonly snapshots: readonly RegistrySnapshot[];
  },
): GateEntry["versionTag"] {
  const snapshot = snapshotOf(of.snapshots, service, target.name);
  if (snapshot.state !== "seen") return { state: "unknown", why: snapshot.why };
  const found = tagsOfVersion(snapshot.tags, of.version, service);
  const { digest } = found.find((tag) => tag.digest !== of.row?.digest) ?? found[0] ?? {};
  return digest === undefined ? { state: "absent" } : { state: "present", digest };
}
