import type { Service } from "@tgo/catalog";
import { releaseStatus, type Status, type TagPolicy } from "@tgo/release-rules";
import type { TargetContext } from "../targets/publish-context.js";
import { IndexCache } from "../release/index-cache.js";
import { readTags } from "../release/read-tags.js";

/** What `latest`, the floating tags and the newest version point to in every registry, and where they disagree. */
export async function statusOf(
  context: TargetContext,
  services: readonly { readonly name: string; readonly service: Service }[],
  policy: TagPolicy,
): Promise<Status> {
  const queries = services.map(({ name }) => ({ service: name, tags: ["latest"] }));
  return releaseStatus({
    services: services.map(({ name }) => ({ service: name, policy })),
    registries: context.targets.map(({ name }) => name),
    snapshots: await readTags(context, queries, new IndexCache(), { versions: "all" }),
  });
}
