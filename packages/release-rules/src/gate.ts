import { candidateProblem, type CandidateIdentity } from "./candidate-problem.js";
import type { Version } from "./version.js";

/** A registry that images are released to. */
export interface ReleaseRegistry {
  readonly registry: string;
  /** Whether a release waits for it. */
  readonly required: boolean;
}

/** One service in one registry, as it is before the first version tag is written. */
export interface GateEntry {
  readonly service: string;
  readonly registry: string;
  /** The candidate, and whether its digest was verified in this registry. */
  readonly candidate:
    | ({ readonly state: "verified"; readonly digest: string } & CandidateIdentity)
    | { readonly state: "failed"; readonly why: string }
    /** No candidate arrived; why, where that is known. */
    | { readonly state: "missing"; readonly why?: string };
  /** The target of the version's own tag, however it is spelled. */
  readonly versionTag:
    | { readonly state: "absent" }
    | { readonly state: "present"; readonly digest: string }
    | { readonly state: "unknown"; readonly why: string };
}

/** Something that keeps the gate closed, or that is left for later. */
export interface GateReason {
  readonly kind:
    | "nothing to release"
    | "candidate missing"
    | "candidate failed"
    | "candidate refused"
    | "digests differ"
    | "version taken"
    | "version tag unknown";
  /** Absent when the reason is not about a single service or registry. */
  readonly service?: string;
  readonly registry?: string;
  /** Without service and registry. */
  readonly what: string;
  /** With service and registry. */
  readonly message: string;
}

export interface OpenGate {
  readonly open: true;
  /** By service: the one digest that all required registries have. */
  readonly digests: ReadonlyMap<string, string>;
  /** What registries that are not required still lack. */
  readonly later: readonly GateReason[];
}

export interface ClosedGate {
  readonly open: false;
  /** Set if a registry has the version's tag: on the candidate, as far as its digest is known, or on another image. */
  readonly existing?: "same" | "other";
  readonly reasons: readonly GateReason[];
  readonly later: readonly GateReason[];
}

export type Gate = OpenGate | ClosedGate;

/**
 * The one gate of a release. It opens when every service's candidate is verified in every required registry with the
 * same digest, belongs to this version, and no registry has the version with another digest. A candidate without an
 * entry counts as missing: the plan decides what must be there, not what was found. Once a required registry has
 * released the version, another digest in a registry that is not required no longer blocks it.
 */
export function decideGate(release: {
  readonly version: Version;
  readonly services: readonly string[];
  readonly registries: readonly ReleaseRegistry[];
  readonly entries: readonly GateEntry[];
}): Gate {
  const { version, services, registries, entries } = release;
  const reasons: GateReason[] = [];
  const later: GateReason[] = [];
  if (services.length === 0) reasons.push(nothingToRelease("there is no service to release"));
  if (registries.length === 0) reasons.push(nothingToRelease("there is no registry to release to"));
  const planned = [...new Set(services)].map((service) => {
    const candidates = registries.map(({ registry, required }) => ({
      required,
      entry: entries.find((entry) => entry.service === service && entry.registry === registry) ?? {
        ...NO_ENTRY,
        service,
        registry,
      },
    }));
    return { service, candidates, digest: agreedDigest(candidates) };
  });
  const releaseBegan = planned.some(({ candidates, digest }) =>
    candidates.some(({ required, entry: { versionTag } }) => {
      return required && versionTag.state === "present" && versionTag.digest === digest;
    }),
  );
  const digests = new Map<string, string>();
  for (const { service, candidates, digest } of planned) {
    if (digest !== undefined) digests.set(service, digest);
    else if (registries.length > 0 && !candidates.some(({ required }) => required)) {
      const what = "no registry has a verified candidate";
      reasons.push({ kind: "candidate missing", service, what, message: `${service}: ${what}` });
    }
    for (const { required, entry } of candidates) {
      for (const reason of [
        ...candidateReasons(entry, version, digest),
        ...versionTagReasons(entry, version, digest),
      ]) {
        // A version must not have two contents. Once it is out, blocking the rest of the release helps nobody.
        const blocks = required || (reason.kind === "version taken" && !releaseBegan);
        (blocks ? reasons : later).push(reason);
      }
    }
  }
  if (reasons.length === 0) return { open: true, digests, later };
  const isTaken = [...reasons, ...later].some(({ kind }) => kind === "version taken");
  const isTagged = entries.some(({ versionTag }) => versionTag.state === "present");
  const existing = isTaken ? "other" : isTagged ? "same" : undefined;
  return { open: false, ...(existing === undefined ? {} : { existing }), reasons, later };
}

/** Reasons as text, one line each; a service's reason shared by several registries is one line. */
export function formatReasons(reasons: readonly GateReason[]): readonly string[] {
  const groups = new Map<string, { readonly reason: GateReason; readonly registries: string[] }>();
  for (const reason of reasons) {
    const key = JSON.stringify([reason.service, reason.what]);
    const { registries } = groups.get(key) ?? { registries: [] };
    groups.set(key, {
      reason,
      registries: reason.registry === undefined ? registries : [...registries, reason.registry],
    });
  }
  return [...groups.values()].map(({ reason: { service, what }, registries }) => {
    if (service === undefined) return what;
    return `${service}${registries.length === 0 ? "" : ` in ${registries.join(", ")}`}: ${what}`;
  });
}

const NO_ENTRY = {
  candidate: { state: "missing" },
  versionTag: { state: "unknown", why: "not queried" },
} as const;

function nothingToRelease(message: string): GateReason {
  return { kind: "nothing to release", what: message, message };
}

/** The digest most required registries have; without required ones, the digest most have. */
function agreedDigest(candidates: readonly { required: boolean; entry: GateEntry }[]): string | undefined {
  const required = candidates.filter((candidate) => candidate.required);
  const found = (required.length === 0 ? candidates : required).flatMap(({ entry: { candidate } }) =>
    candidate.state === "verified" ? [candidate.digest] : [],
  );
  const count = (digest: string): number => found.filter((other) => other === digest).length;
  return found.reduce<string | undefined>(
    (best, digest) => (best === undefined || count(digest) > count(best) ? digest : best),
    undefined,
  );
}

function reasonFor({ service, registry }: GateEntry, kind: GateReason["kind"], what: string): GateReason {
  return { kind, service, registry, what, message: `${service} in ${registry}: ${what}` };
}

function candidateReasons(entry: GateEntry, version: Version, digest: string | undefined): GateReason[] {
  const { candidate, versionTag } = entry;
  if (candidate.state === "missing") {
    const why = candidate.why === undefined ? "" : `: ${candidate.why}`;
    return [reasonFor(entry, "candidate missing", `the candidate is missing${why}`)];
  }
  if (candidate.state === "failed")
    return [reasonFor(entry, "candidate failed", `the candidate failed: ${candidate.why}`)];
  if (candidate.digest !== digest) {
    const what = `the candidate is ${candidate.digest}, elsewhere it is ${digest ?? "unknown"}`;
    return [reasonFor(entry, "digests differ", what)];
  }
  // What is already released as this version is this version, whoever released it: `latest` may go back to it.
  if (versionTag.state === "present" && versionTag.digest === digest) return [];
  const problem = candidateProblem(candidate, version, entry.registry);
  return problem === undefined ? [] : [reasonFor(entry, "candidate refused", problem.what)];
}

function versionTagReasons(entry: GateEntry, version: Version, digest: string | undefined): GateReason[] {
  const { versionTag } = entry;
  if (versionTag.state === "unknown") {
    const what = `it is unknown whether ${version.text} is taken: ${versionTag.why}`;
    return [reasonFor(entry, "version tag unknown", what)];
  }
  if (versionTag.state === "absent" || digest === undefined || versionTag.digest === digest) return [];
  const what = `${version.text} already exists as ${versionTag.digest}; a version's tag never changes`;
  return [reasonFor(entry, "version taken", what)];
}
