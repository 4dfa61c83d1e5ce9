import { TgoError } from "@tgo/errors";
import type { ImageSource } from "./image-source.js";
import type { ImageTree } from "./image-tree.js";
import { readImageTrees } from "./read-image-tree.js";

/**
 * Reads an image of which all parts are needed.
 * @param platforms only these; all when empty
 * @throws TgoError as {@link readImageTrees}; NOT_FOUND when a part cannot be read; VERIFY for an artifact
 */
export async function requireImage(
  source: ImageSource,
  platforms: readonly string[] = [],
): Promise<ImageTree> {
  const [tree] = await readImageTrees([source], platforms);
  if (tree === undefined) throw new TgoError("INTERNAL", "no image was read");
  const incomplete = tree.notes.find(
    (note) => note.includes("cannot be read") && !note.startsWith("its referrers"),
  );
  if (incomplete !== undefined) throw new TgoError("NOT_FOUND", incomplete, { where: tree.reference });
  if (tree.platforms.length > 0) return tree;
  const what =
    tree.kind === "artifact"
      ? `it is an artifact (${tree.artifactType ?? ""}), not an image`
      : "it has no image of these platforms";
  throw new TgoError("VERIFY", what, {
    where: tree.reference,
    remedy: "Name an image, and its platform with --platform.",
  });
}
