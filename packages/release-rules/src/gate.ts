import { TgoError, type TgoErrorDetails } from "@tgo/errors";
import { candidateProblem, type CandidateIdentity } from "./candidate-problem.js";
import { LATEST } from "./tag-plan.js";
import type { Version } from "./version.js";

/** A place that images are released to. */
export interface ReleaseRegistry {
  readonly registry: string;
  /** Whether a release waits for it. */
  readonly required: boolean;
}

/** One service in one registry, as it is before the first version tag is written. */
export interface GateEntry {
  readonly service: string;
  readonly registry: string;
  /** The candidate: verified there by digest, or not. */
  readonly candidate:
    | ({ readonly state: "verified"; readonly digest: string } & CandidateIdentity)
    | { readonly state: "failed"; readonly why: string }
    /** Nothing came there; why, where that is known. */
    | { readonly state: "missing"; readonly why?: string };
  /** What is under the version's own tag, whatever its spelling. */
  readonly versionTag:
    | { readonly state: "absent" }
    | { readonly state: "present"; readonly digest: string }
    | { readonly state: "unknown"; readonly why: string };
}

/** One thing that keeps the gate closed, or that is left for later. */
export interface GateReason {
  readonly kind:
    | "nothing to release"
    | "candidate missing"
    | "candidate failed"
    | "candidate refused"
    | "digests differ"
    | "version taken"
    | "version tag unknown";
  /** Absent when it is about no one service, or registry. */
  readonly service?: string;
  readonly registry?: string;
  /** Without the place. */
  readonly what: string;
  readonly message: string;
}

export interface OpenGate {
  readonly open: true;
  /** By service: the one digest that all required registries hold. */
  readonly digests: ReadonlyMap<string, string>;
  /** Of registries a release does not wait for. */
  readonly later: readonly GateReason[];
}

export interface ClosedGate {
  readonly open: false;
  readonly reasons: readonly GateReason[];
  readonly later: readonly GateReason[];
}

export type Gate = OpenGate | ClosedGate;

/**
 * The one gate of a release. It opens when every service's candidate is verified in every required registry with
 * one digest, belongs to this version, and no registry has the version already with another digest. What is not
 * in `entries` is missing: the plan decides what has to be there, not what was found. Once the version is out in a
 * required registry, what another one has under it holds up nothing any more.
 */
export function decideGate(asked: {
  readonly version: Version;
  readonly services: readonly string[];
  readonly registries: readonly ReleaseRegistry[];
  readonly entries: readonly GateEntry[];
}): Gate {
  const { version, services, registries, entries } = asked;
  const reasons: GateReason[] = [];
  const later: GateReason[] = [];
  if (services.length === 0) reasons.push(nothing("no service is to be released"));
  if (registries.length === 0) reasons.push(nothing("there is no registry to release to"));
  const asPlanned = [...new Set(services)].map((service) => {
    const places = registries.map(({ registry, required }) => ({
      required,
      entry: entries.find((entry) => entry.service === service && entry.registry === registry) ?? {
        ...ABSENT,
        service,
        registry,
      },
    }));
    return { service, places, digest: agreedDigest(places) };
  });
  const begun = asPlanned.some(({ places, digest }) =>
    places.some(({ required, entry: { versionTag } }) => {
      return required && versionTag.state === "present" && versionTag.digest === digest;
    }),
  );
  const digests = new Map<string, string>();
  for (const { service, places, digest } of asPlanned) {
    if (digest !== undefined) digests.set(service, digest);
    else if (registries.length > 0 && !places.some(({ required }) => required)) {
      const what = "no registry holds a verified candidate";
      reasons.push({ kind: "candidate missing", service, what, message: `${service}: ${what}` });
    }
    for (const { required, entry } of places) {
      for (const reason of [
        ...candidateReasons(entry, version, digest),
        ...tagReasons(entry, version, digest),
      ]) {
        // A version with two contents is nobody's to finish later, unless it is out already: half of it helps nobody.
        const binds = required || (reason.kind === "version taken" && !begun);
        (binds ? reasons : later).push(reason);
      }
    }
  }
  return reasons.length === 0 ? { open: true, digests, later } : { open: false, reasons, later };
}

/** Reasons in words, one line each: what a service has in several registries is told once. */
export function formatReasons(reasons: readonly GateReason[]): readonly string[] {
  const places = new Map<string, { readonly reason: GateReason; readonly registries: string[] }>();
  for (const reason of reasons) {
    const key = JSON.stringify([reason.service, reason.what]);
    const { registries } = places.get(key) ?? { registries: [] };
    places.set(key, {
      reason,
      registries: reason.registry === undefined ? registries : [...registries, reason.registry],
    });
  }
  return [...places.values()].map(({ reason: { service, what }, registries }) => {
    if (service === undefined) return what;
    return `${service}${registries.length === 0 ? "" : ` in ${registries.join(", ")}`}: ${what}`;
  });
}

/** The closed gate as the error a release ends with. */
export function gateError(
  { reasons }: ClosedGate,
  version: Version,
  details: TgoErrorDetails = {},
): TgoError {
  const lines = formatReasons(reasons).map((line) => `- ${line}`);
  const what = `${version.text} is not released: no version tag and no ${LATEST} was moved`;
  return new TgoError("VERIFY", [what, ...lines].join("\n"), details);
}

const ABSENT = {
  candidate: { state: "missing" },
  versionTag: { state: "unknown", why: "not asked" },
} as const;

function nothing(message: string): GateReason {
  return { kind: "nothing to release", what: message, message };
}

/** What most required registries have; without required ones, what most have. */
function agreedDigest(places: readonly { required: boolean; entry: GateEntry }[]): string | undefined {
  const binding = places.some(({ required }) => required)
    ? places.filter(({ required }) => required)
    : places;
  const found = binding.flatMap(({ entry: { candidate } }) =>
    candidate.state === "verified" ? [candidate.digest] : [],
  );
  const count = (digest: string): number => found.filter((other) => other === digest).length;
  return found.reduce<string | undefined>(
    (best, digest) => (best === undefined || count(digest) > count(best) ? digest : best),
    undefined,
  );
}

function candidateReasons(
  { service, registry, candidate, versionTag }: GateEntry,
  version: Version,
  digest: string | undefined,
): GateReason[] {
  const reason = (kind: GateReason["kind"], what: string): GateReason[] => [
    { kind, service, registry, what, message: `${service} in ${registry}: ${what}` },
  ];
  if (candidate.state === "missing") {
    const why = candidate.why === undefined ? "" : `: ${candidate.why}`;
    return reason("candidate missing", `the candidate is not there${why}`);
  }
  if (candidate.state === "failed")
    return reason("candidate failed", `the candidate did not pass: ${candidate.why}`);
  if (candidate.digest !== digest)
    return reason(
      "digests differ",
      `the candidate is ${candidate.digest}, elsewhere it is ${digest ?? "unknown"}`,
    );
  // What is out as this version is this version, whoever released it: `latest` may go back to it.
  if (versionTag.state === "present" && versionTag.digest === digest) return [];
  const problem = candidateProblem(candidate, version, registry);
  return problem === undefined ? [] : reason("candidate refused", problem.what);
}

function tagReasons(
  { service, registry, versionTag }: GateEntry,
  version: Version,
  digest: string | undefined,
): GateReason[] {
  const reason = (kind: GateReason["kind"], what: string): GateReason[] => [
    { kind, service, registry, what, message: `${service} in ${registry}: ${what}` },
  ];
  if (versionTag.state === "unknown")
    return reason("version tag unknown", `whether ${version.text} is taken is not known: ${versionTag.why}`);
  if (versionTag.state === "absent" || digest === undefined || versionTag.digest === digest) return [];
  return reason(
    "version taken",
    `${version.text} is there already and is ${versionTag.digest}; a version's tag never changes`,
  );
}
