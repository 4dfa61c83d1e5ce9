import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { digestOf } from "@tgo/registry";

/**
 * Writes an image layout that is given as text, for inputs that are changed: `## NAME` begins a file. `index.json` and
 * `oci-layout` are files of these names, any other one a blob under the digest of what it contains. `@NAME` in a later file stands
 * for that blob's digest and `#NAME` for its size: so a changed document is still found by its digest.
 */
export async function writeLayout(folder: string, text: string): Promise<void> {
  const blobs = new Map<string, { digest: string; size: number }>();
  for (const part of text.split(/^## /m).slice(1)) {
    const [name = "", ...lines] = part.split("\n");
    const content = Buffer.from(
      lines
        .join("\n")
        .replace(/@(\w+)/g, (whole, blob: string) => blobs.get(blob)?.digest ?? whole)
        .replace(/#(\w+)/g, (whole, blob: string) => String(blobs.get(blob)?.size ?? whole)),
      "latin1",
    );
    const digest = digestOf(content);
    blobs.set(name, { digest, size: content.length });
    const file = name === "index.json" || name === "oci-layout" ? name : `blobs/${digest.replace(":", "/")}`;
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), content);
  }
}
