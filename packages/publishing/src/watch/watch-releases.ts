import { commandLine, type Problem } from "@tgo/errors";
import type { Verification } from "@tgo/image";
import { inParallel } from "@tgo/registry";
import { compareVersions, kindOfTag, type ReleaseRecord } from "@tgo/release-rules";
import type { RegistryReport } from "@tgo/report";
import { rowsOfVerification } from "../verify/verification-rows.js";
import { verifyRemedies } from "../verify/verify-remedies.js";
import { verifyTag } from "../verify/verify-tag.js";
import type { TargetContext } from "../targets/publish-context.js";
import type { Target } from "../targets/target.js";
import { readRecords, releasedTags } from "./released-tags.js";

/** What is wrong with one tag in one registry. */
export interface Drift extends Problem {
  readonly registry: string;
  readonly kind: "drift" | "unreachable";
}

/** One tag of one service in all registries. */
export interface WatchedTag {
  readonly service: string;
  readonly tag: string;
  readonly digest?: string;
  readonly problems: readonly Drift[];
  /** What somebody should know, and is no drift: a base image that has moved. */
  readonly notes: readonly string[];
}

export interface WatchResult {
  /** "unreachable": nothing is known to have drifted, and something could not be read. */
  readonly state: "whole" | "drift" | "unreachable";
  readonly tags: readonly WatchedTag[];
}

export interface WatchOptions {
  /** Digests that base images are locked to. */
  readonly bases?: Readonly<Record<string, string>>;
  /** Checks the signatures of a tag's image, and returns the rows with what it found; absent where nobody says whose count. */
  readonly signatures?: (
    tag: { readonly service: string; readonly tag: string; readonly verification: Verification },
    rows: readonly RegistryReport[],
  ) => Promise<readonly RegistryReport[]>;
}

const TAGS_AT_ONCE = 4;

/**
 * Whether everything that was ever released is still whole: each version and each floating tag that any registry or any
 * release record names, in every registry, with all parts of all platforms, read without credentials where the registry is
 * public.
 */
export async function watchReleases(
  context: TargetContext,
  services: readonly string[],
  { bases, signatures }: WatchOptions,
): Promise<WatchResult> {
  const strangers = context.targets.map(asStranger);
  const listed = await Promise.all(
    services.flatMap((service) =>
      strangers.map(async (target) => ({ service, ...(await releasedTags(target, service)) })),
    ),
  );
  const records = await recordsOf(listed);
  const unreached = listed.flatMap(({ service, target, problem }): WatchedTag[] =>
    problem === undefined ? [] : [{ service, tag: "", problems: [driftOf(target.name, problem)], notes: [] }],
  );
  const wanted = services.flatMap((service) =>
    namedTags(service, listed, records).map((tag) => ({ service, tag })),
  );
  const tags = await inParallel(TAGS_AT_ONCE, wanted, async ({ service, tag }): Promise<WatchedTag> => {
    const reached = listed.filter((one) => one.service === service && one.problem === undefined);
    const targets = reached.map(({ target }) => target);
    const verification = await verifyTag(context, service, targets, tag, {
      elf: false,
      remedyFor: verifyRemedies({ service, tag }),
      ...(bases === undefined ? {} : { bases }),
    });
    const { digest, checks } = verification;
    const rows = rowsOfVerification(targets, service, tag, verification);
    const signed = await signatures?.({ service, tag, verification }, rows);
    const problems = (signed ?? rows).flatMap(({ registry, problems: own }) =>
      own.map((problem) => driftOf(registry, problem)),
    );
    const base = checks.find(({ name, state }) => name === "base" && state === "note");
    return {
      service,
      tag,
      ...(digest === undefined ? {} : { digest }),
      problems: [...problems, ...otherThanRecorded({ service, tag, digest }, records)],
      notes: base?.evidence.filter((line) => line.startsWith("stale")) ?? [],
    };
  });
  const all = [...unreached, ...tags];
  const kinds = new Set(all.flatMap(({ problems }) => problems.map(({ kind }) => kind)));
  return {
    state: kinds.has("drift") ? "drift" : kinds.has("unreachable") ? "unreachable" : "whole",
    tags: all,
  };
}

/** A public registry is read as its users read it. */
function asStranger(target: Target): Target {
  return target.anonymous === undefined
    ? target
    : { ...target, client: target.anonymous, anonymous: undefined };
}

type Listed = { readonly service: string; readonly target: Target; readonly tags: readonly string[] };

/** One registry's records are enough for each version: they are the same everywhere. */
async function recordsOf(listed: readonly Listed[]): Promise<ReleaseRecord[]> {
  const found = new Map<string, ReleaseRecord>();
  for (const { service, target, tags } of listed) {
    if (target.registry.referrers === false) continue;
    const versions = tags.filter((tag) => kindOfTag(tag, service).kind === "version");
    const read = await inParallel(TAGS_AT_ONCE, versions, (tag) => readRecords(target, service, tag));
    for (const record of read.flat())
      if (record.kind === "release")
        found.set(`${record.version} ${Object.keys(record.services).join()}`, record);
  }
  return [...found.values()];
}

/** Versions, newest first, then floating tags. */
function namedTags(service: string, listed: readonly Listed[], records: readonly ReleaseRecord[]): string[] {
  const recorded = records.filter((record) => service in record.services).map(({ version }) => version);
  const tagged = listed.filter((one) => one.service === service).flatMap(({ tags }) => tags);
  const all = [...new Set([...recorded, ...tagged])];
  const versionOf = (tag: string): ReturnType<typeof kindOfTag> => kindOfTag(tag, service);
  const versions = all
    .flatMap((tag) => {
      const kind = versionOf(tag);
      return kind.kind === "version" ? [{ tag, version: kind.version }] : [];
    })
    .sort((a, b) => compareVersions(b.version, a.version))
    .map(({ tag }) => tag);
  return [...versions, ...all.filter((tag) => !versions.includes(tag)).sort()];
}

/** A version's tag keeps the digest that its record names. */
function otherThanRecorded(
  {
    service,
    tag,
    digest,
  }: { readonly service: string; readonly tag: string; readonly digest: string | undefined },
  records: readonly ReleaseRecord[],
): Drift[] {
  if (digest === undefined) return [];
  return records.flatMap(({ version, services }): Drift[] => {
    const recorded = version === tag ? services[service]?.digest : undefined;
    if (recorded === undefined || recorded === digest) return [];
    const what = `${tag} is ${digest}; its release record says ${recorded}`;
    const remedy = `A version's tag never changes. Find out who pushed the other image, and remove its tag. Then:\n${commandLine("promote", { service: [service], version })}`;
    return [{ registry: "all", kind: "drift", code: "VERIFY", what, remedy }];
  });
}

function driftOf(registry: string, problem: Problem): Drift {
  return { ...problem, registry, kind: problem.code === "UNAVAILABLE" ? "unreachable" : "drift" };
}
