import { kindOfTag, type ClosedGate } from "@tgo/release-rules";
import { defined, type RegistryReport } from "@tgo/report";
import { candidateTag } from "../candidate/candidate-key.js";
import { requireSameCandidate } from "../candidate/require-same-candidate.js";
import { notStarted } from "../publish/not-started.js";
import { repositoryOf, type Target } from "../targets/target.js";
import { skewSeconds, type ClockSkew } from "./clock.js";
import { firstOfEachCode, runCheck, withRemedy } from "./problems.js";

/** What will be released, as far as it is known. */
export interface Subject {
  readonly service: string;
  /** Without a v; undefined when none is given. */
  readonly version: string | undefined;
  /** The candidate's key; undefined when the source yields none. */
  readonly key: Promise<string | undefined>;
}

export interface RegistryCheck {
  readonly report: RegistryReport;
  readonly skew: ClockSkew | undefined;
  /** It accepts pushes of the service. */
  readonly accepts: boolean;
  /** It has the candidate, so nothing needs to be built. */
  readonly hasCandidate: boolean;
  /** Set if it has the version: as this candidate, or with other content. */
  readonly existing: ClosedGate["existing"] | undefined;
}

const SHORT_TIMEOUTS = { timeoutMs: 5000, retries: 1, totalMs: 10_000 };

/** The same target, with a client that gives up within seconds. */
export function withShortTimeouts(target: Target): Target {
  return { ...target, client: target.client.withRetryOptions(SHORT_TIMEOUTS) };
}

/** Checks that a registry accepts pushes of a service, and that the version is free there or is this candidate. */
export async function checkRegistry(target: Target, subject: Subject): Promise<RegistryCheck> {
  const started = performance.now();
  const repository = repositoryOf(target, subject.service);
  // Finding the image also waits for the source; that is not the registry's time.
  let durationMs = 0;
  const [push, found] = await Promise.all([
    runCheck(async () => {
      const sent = Date.now();
      const { date } = await target.client.probePush(repository);
      return date && skewSeconds(date, sent, Date.now());
    }).finally(() => {
      durationMs = Math.round(performance.now() - started);
    }),
    runCheck(() => findImage(target, subject)),
  ]);
  const problems = withRemedy(firstOfEachCode([...push.problems, ...found.problems]), remedyFor(target));
  const state = problems.length > 0 ? "failed" : found.value === undefined ? "ready" : "already there";
  return {
    report: {
      ...notStarted(target, subject.service),
      ...defined({ digest: found.value?.digest }),
      state,
      problems,
      durationMs,
    },
    skew:
      push.value === undefined
        ? undefined
        : { registry: target.name, host: target.registry.host, seconds: push.value },
    accepts: push.problems.length === 0,
    hasCandidate: found.value !== undefined,
    existing: found.problems.some(({ code }) => code === "CONFLICT")
      ? "other"
      : found.value?.isReleased === true
        ? "same"
        : undefined,
  };
}

/** For responses that say only that the repository does not exist. */
function remedyFor(target: Target): string {
  return (
    `Create the namespace (and the repository, if the registry requires it) at ${target.registry.host}, ` +
    `or correct registries.${target.name} in tgo.catalog.json.`
  );
}

/**
 * The digest of the candidate, or of the version made from it, if the registry has either.
 * @throws TgoError CONFLICT when the version, in any spelling, is another image
 */
async function findImage(
  target: Target,
  { service, version, key }: Subject,
): Promise<{ readonly digest: string; readonly isReleased: boolean } | undefined> {
  const repository = repositoryOf(target, service);
  const resolve = async (tag: string): Promise<{ tag: string; digest: string }[]> => {
    const found = await target.client.resolve(repository, tag, { push: true });
    return found === undefined ? [] : [{ tag, digest: found.digest }];
  };
  const [versions, knownKey] = await Promise.all([
    version === undefined
      ? []
      : versionTags(target, service, version).then((tags) => Promise.all(tags.map(resolve))),
    key,
  ]);
  // Without a key, an existing version cannot be compared; the source's own problem is reported elsewhere.
  if (knownKey === undefined) return undefined;
  const [first] = versions.flat();
  if (version !== undefined && first !== undefined) {
    await requireSameCandidate(target, { service, version, key: knownKey }, first);
    return { digest: first.digest, isReleased: true };
  }
  const [candidate] = await resolve(candidateTag(knownKey));
  return candidate && { digest: candidate.digest, isReleased: false };
}

/** The version's own tag, and existing tags that spell it differently: v1.2.3. */
async function versionTags(target: Target, service: string, version: string): Promise<string[]> {
  const listed = await target.client.tags(repositoryOf(target, service));
  const spellings = listed.filter((tag) => {
    const kind = kindOfTag(tag, service);
    return kind.kind === "version" && kind.version.text === version;
  });
  // In some registries the list of tags lags behind.
  return [...new Set([version, ...spellings])];
}
