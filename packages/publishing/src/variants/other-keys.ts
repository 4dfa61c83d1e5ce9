import type { Platform } from "@tgo/catalog";
import { inParallel } from "@tgo/registry";
import { kindOfTag } from "@tgo/release-rules";
import { slugOf } from "../candidate/candidate-key.js";
import type { Prepared } from "../candidate/prepared.js";
import type { TargetContext } from "../targets/publish-context.js";
import { repositoryOf, type Target } from "../targets/target.js";

/** Tags that are read; registries list them by name, so which ones is by chance. */
const MAX_READ = 100;
const READS_AT_ONCE = 8;

/**
 * Tags under which these platforms were built from the same commit, but with another key: source, base images, version or
 * pipelines differ. Only for an error's text: a registry that cannot be read has none.
 */
export async function otherKeys(
  context: TargetContext,
  prepared: Prepared,
  platforms: readonly Platform[],
): Promise<string[]> {
  const found = await Promise.all(context.targets.map((target) => inRegistry(target, prepared, platforms)));
  return [...new Set(found.flat())].sort();
}

async function inRegistry(
  target: Target,
  { key, request: { name, source } }: Prepared,
  platforms: readonly Platform[],
): Promise<string[]> {
  const repository = repositoryOf(target, name);
  const ends = platforms.map((platform) => `-${slugOf(platform)}`);
  try {
    const tags = (await target.client.tags(repository)).filter(
      (tag) =>
        kindOfTag(tag).kind === "variant" &&
        !tag.startsWith(`variant-${key}-`) &&
        ends.some((end) => tag.endsWith(end)),
    );
    const read = await inParallel(READS_AT_ONCE, tags.slice(0, MAX_READ), async (tag) => {
      const { value } = await target.client.manifest(repository, tag, { push: true });
      return value.annotations?.["org.opencontainers.image.revision"] === source.revision ? [tag] : [];
    });
    return read.flat();
  } catch {
    // The error that this is for says enough without it.
    return [];
  }
}
