import { TgoError } from "@tgo/errors";
import type { Snapshot } from "./snapshot.js";

/** An overlay's upper layer and its work folder, relative to the store's home; both exist. */
export interface OverlayChanges {
  readonly upper: string;
  readonly work: string;
}

/**
 * Options of an overlay mount. Paths are relative to the store's home, because the kernel takes one page of text and a colon
 * or a comma in the home's path would end a name.
 * @param stub the lowest layer, which holds mount points; none of it becomes part of a layer
 */
export function overlayOptions(snapshot: Snapshot, changes?: OverlayChanges, stub = "empty"): string {
  const lower = [...snapshot.layers.map((layer) => `s/${layer}`).reverse(), stub];
  // An overlay without an upper layer needs two lower ones.
  if (lower.length === 1 && changes === undefined) lower.unshift("empty2");
  const options = [`lowerdir=${lower.join(":")}`, "redirect_dir=off", "metacopy=off", "index=off"];
  // volatile: unmounting does not wait for the disk. A layer lost in a power cut is simply made again.
  if (changes !== undefined) options.push(`upperdir=${changes.upper}`, `workdir=${changes.work}`, "volatile");
  const text = options.join(",");
  if (text.length > PAGE)
    throw new TgoError("BUILD", `the container has ${snapshot.layers.length} layers, too many to mount`, {
      remedy: "do more in one step, such as one withDirectory instead of many withFile",
    });
  return text;
}

/** The kernel's limit on a mount's options, in bytes, with some room. Enough for 127 layers, Docker's own limit. */
const PAGE = 4000;
