import type { Service } from "@tgo/catalog";
import { commandLine, isTgoError } from "@tgo/errors";
import {
  pulledImages,
  releaseStatus,
  type IncompleteImage,
  type Status,
  type StatusRow,
  type TagPolicy,
} from "@tgo/release-rules";
import type { TargetContext } from "../targets/publish-context.js";
import { IndexCache } from "../release/index-cache.js";
import { readTags } from "../release/read-tags.js";
import { verifyTag } from "../verify/verify-tag.js";

/** What `latest`, the floating tags and the newest version point to in every registry, and where they disagree. */
export async function statusOf(
  context: TargetContext,
  services: readonly { readonly name: string; readonly service: Service }[],
  policy: TagPolicy,
): Promise<Status> {
  const queries = services.map(({ name }) => ({ service: name, tags: ["latest"] }));
  const of = {
    services: services.map(({ name }) => ({ service: name, policy })),
    registries: context.targets.map(({ name }) => name),
    snapshots: await readTags(context, queries, new IndexCache(), { versions: "all" }),
  };
  const { rows } = releaseStatus(of);
  const incomplete = await Promise.all(
    services.map(({ name }) =>
      incompleteImages(
        context,
        name,
        rows.filter(({ service }) => service === name),
      ),
    ),
  );
  const restore = (version: string, names: readonly string[]): string =>
    `A registry that lacks a part of ${version} gets it from one that has it:\n` +
    commandLine("promote", { service: names, version });
  return releaseStatus({ ...of, incomplete: incomplete.flat(), restore });
}

/** Images of which a registry lacks a manifest, config or layer. Nothing else is checked: that is what verify is for. */
async function incompleteImages(
  context: TargetContext,
  service: string,
  rows: readonly StatusRow[],
): Promise<IncompleteImage[]> {
  const digests = new Set(rows.flatMap((row) => pulledImages(row).map(({ digest }) => digest)));
  const found = await Promise.all(
    [...digests].map(async (digest) => {
      const having = rows.filter((row) => pulledImages(row).some((pointer) => pointer.digest === digest));
      const targets = context.targets
        .filter(({ name }) => having.some(({ registry }) => registry === name))
        .map((target) => ({ ...target, anonymous: undefined }));
      try {
        const verified = await verifyTag(context, service, targets, digest, { elf: false, quiet: true });
        return verified.targets.flatMap(({ name, problems }) => {
          const missing = problems.filter(({ code }) => code === "NOT_FOUND").map(({ what }) => what);
          return missing.length === 0 ? [] : [{ service, registry: name, digest, why: missing.join("; ") }];
        });
      } catch (error) {
        // Status reports what it can; only the caller's interruption ends it.
        if (isTgoError(error) && error.code !== "INTERRUPTED") return [];
        throw error;
      }
    }),
  );
  return found.flat();
}
