import { kindOfTag } from "@tgo/release-rules";
import { defined, type RegistryReport } from "@tgo/report";
import { candidateTag } from "../candidate/candidate-key.js";
import { repositoryOf, type Target } from "../targets/target.js";
import { notStarted } from "../publish/not-started.js";
import { requireSameCandidate } from "../candidate/require-same-candidate.js";
import { skewSeconds, type Skew } from "./clock.js";
import { checked, oneOfEach, withRemedy } from "./problems.js";

/** What is to be released, as far as it is known. */
export interface Subject {
  readonly service: string;
  /** Without a v; undefined when none is given. */
  readonly version: string | undefined;
  /** The candidate's key, or undefined when the source does not give one. */
  readonly key: Promise<string | undefined>;
}

/** What a registry has said. */
export interface RegistryCheck {
  readonly report: RegistryReport;
  readonly skew: Skew | undefined;
  /** Whether it has the candidate, so that nothing need be built. */
  readonly holds: boolean;
}

/** A registry's answer is a matter of seconds: of these two tries. */
const PATIENCE = { timeoutMs: 5000, retries: 1, totalMs: 10_000 };

/** The same way to a registry, for whom an answer that takes long is one too. */
export function withShortTimeouts(target: Target): Target {
  return { ...target, client: target.client.withRetryOptions(PATIENCE) };
}

/** Whether a registry takes pushes of a service, and whether the version is free there or this very candidate. */
export async function checkRegistry(target: Target, subject: Subject): Promise<RegistryCheck> {
  const started = performance.now();
  const repository = repositoryOf(target, subject.service);
  // The look for the image also waits for the source, which is not the registry's time.
  let durationMs = 0;
  const [pushed, found] = await Promise.all([
    checked(async () => {
      const sent = Date.now();
      const { date } = await target.client.probePush(repository);
      return date && skewSeconds(date, sent, Date.now());
    }).finally(() => {
      durationMs = Math.round(performance.now() - started);
    }),
    checked(() => findImage(target, subject)),
  ]);
  const problems = withRemedy(oneOfEach([...pushed.problems, ...found.problems]), remedyFor(target));
  const state = problems.length > 0 ? "failed" : found.value === undefined ? "ready" : "already there";
  return {
    report: {
      ...notStarted(target, subject.service),
      ...defined({ digest: found.value }),
      state,
      problems,
      durationMs,
    },
    skew:
      pushed.value === undefined
        ? undefined
        : { registry: target.name, host: target.registry.host, seconds: pushed.value },
    holds: found.value !== undefined,
  };
}

/** Of an answer that says no more than that there is no such place. */
function remedyFor(target: Target): string {
  return (
    `Create the namespace (and, where the registry wants that, the repository) at ${target.registry.host}, ` +
    `or correct registries.${target.name} of tgo.catalog.json.`
  );
}

/**
 * The digest of the candidate, or of the version made of it, where the registry has one.
 * @throws TgoError CONFLICT when the version, however it is spelled there, is something else
 */
async function findImage(target: Target, { service, version, key }: Subject): Promise<string | undefined> {
  const repository = repositoryOf(target, service);
  const resolve = async (tag: string): Promise<{ tag: string; digest: string }[]> => {
    const held = await target.client.resolve(repository, tag, { push: true });
    return held === undefined ? [] : [{ tag, digest: held.digest }];
  };
  const [versions, known] = await Promise.all([
    version === undefined
      ? []
      : versionTags(target, service, version).then((tags) => Promise.all(tags.map(resolve))),
    key,
  ]);
  // Whether a version that is there is this one, only the key says; the source's problem is told by itself.
  if (known === undefined) return undefined;
  const [first] = versions.flat();
  if (version !== undefined && first !== undefined) {
    await requireSameCandidate(target, { service, version, key: known }, first);
    return first.digest;
  }
  return (await resolve(candidateTag(known)))[0]?.digest;
}

/** The version's own tag, and other spellings of it that are there: v1.2.3. */
async function versionTags(target: Target, service: string, version: string): Promise<string[]> {
  const listed = await target.client.tags(repositoryOf(target, service));
  const spelled = listed.filter((tag) => {
    const kind = kindOfTag(tag, service);
    return kind.kind === "version" && kind.version.text === version;
  });
  // Lists of tags lag behind in some registries.
  return [...new Set([version, ...spelled])];
}
