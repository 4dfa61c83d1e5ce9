import { TgoError } from "@tgo/errors";
import { kindOfTag, newerInLine, type Version } from "@tgo/release-rules";
import { repositoryOf } from "@tgo/publishing";
import type { Context } from "./context.js";
import type { ReleaseTagFacts } from "./release-tag-facts.js";

export interface GuardedRelease {
  readonly version: Version;
  /** The Git tag, if the caller gave it. */
  readonly gitTag: string | undefined;
  readonly services: readonly string[];
}

/**
 * Holds a release to the catalog's guards, before anything is built.
 * @throws TgoError CHECK naming each guard that it does not pass
 */
export async function holdToGuards(context: Context, release: GuardedRelease): Promise<void> {
  const { guards } = context.catalog.release;
  if (guards === undefined) return;
  const { version, gitTag } = release;
  const refused: Refusal[] = [];
  if (guards.annotatedTag || guards.defaultBranch !== false) {
    const tag = gitTag ?? `v${version.text}`;
    const branch = typeof guards.defaultBranch === "string" ? guards.defaultBranch : undefined;
    const facts = await context.host.tagFacts?.(tag, branch);
    if (facts === undefined) refused.push(NO_CHECKOUT);
    else {
      if (guards.annotatedTag) refused.push(...tagRefusals(tag, facts));
      if (guards.defaultBranch !== false) refused.push(...branchRefusals(facts, branch));
    }
  }
  if (guards.advances) refused.push(...(await lineRefusals(context, release)));
  if (refused.length === 0) return;
  throw new TgoError("CHECK", refused.map(({ what }) => what).join("\n"), {
    where: `release.guards, ${version.text}`,
    remedy: [...new Set(refused.map(({ remedy }) => remedy))].join("\n"),
  });
}

interface Refusal {
  readonly what: string;
  readonly remedy: string;
}

const NO_CHECKOUT: Refusal = {
  what: "the guards annotatedTag and defaultBranch need the source's git, and there is none here",
  remedy: "Release a git checkout with the tgo command: dagger call does not see the caller's git.",
};

function tagRefusals(tag: string, { tag: kind, namesCommit }: ReleaseTagFacts): Refusal[] {
  const create = `git tag -a ${tag} -m ${tag}`;
  if (kind === "missing") return [{ what: `the checkout has no tag ${tag} (annotatedTag)`, remedy: create }];
  if (kind === "lightweight")
    return [
      {
        what: `the tag ${tag} is not annotated (annotatedTag)`,
        remedy: `Replace it: git tag -a -f ${tag} ${tag}^{} -m ${tag}. In CI, fetch it as it is: git fetch --force origin tag ${tag}`,
      },
    ];
  if (namesCommit === true) return [];
  return [
    {
      what: `the tag ${tag} names another commit than the one that is released (annotatedTag)`,
      remedy: `Check out the tag: git checkout ${tag}`,
    },
  ];
}

function branchRefusals({ branch, isOnBranch }: ReleaseTagFacts, wanted: string | undefined): Refusal[] {
  if (isOnBranch === true) return [];
  const name = branch ?? (wanted === undefined ? "a default branch of origin" : `origin/${wanted}`);
  if (branch === undefined)
    return [
      {
        what: `the checkout does not have ${name} (defaultBranch)`,
        remedy: "Fetch it: git fetch origin. In GitHub Actions: fetch-depth: 0",
      },
    ];
  if (isOnBranch === undefined)
    return [
      {
        what: `whether the commit is on ${name} is unknown: the clone is shallow (defaultBranch)`,
        remedy: "Fetch the history: git fetch --unshallow. In GitHub Actions: fetch-depth: 0",
      },
    ];
  return [
    {
      what: `the commit is not on ${name} (defaultBranch)`,
      remedy: `Merge it into ${name}, and tag the merge. If it has been merged since: git fetch origin`,
    },
  ];
}

async function lineRefusals(context: Context, { version, services }: GuardedRelease): Promise<Refusal[]> {
  const required = context.targets.filter(({ registry }) => registry.required);
  const found = await Promise.all(
    services.flatMap((service) =>
      required.map(async (target) => {
        const tags = await target.client.tags(repositoryOf(target, service));
        const versions = tags.flatMap((tag) => {
          const kind = kindOfTag(tag, service);
          return kind.kind === "version" ? [kind.version] : [];
        });
        const newer = newerInLine(version, versions);
        return newer === undefined ? [] : [`${service} in ${target.name} has ${newer.text}`];
      }),
    ),
  );
  const all = found.flat();
  if (all.length === 0) return [];
  return [
    {
      what: `${version.text} does not advance its line: ${all.join(", ")} (advances)`,
      remedy:
        "Release a version that is newer than all of its minor line. To point latest back: tgo promote.",
    },
  ];
}
