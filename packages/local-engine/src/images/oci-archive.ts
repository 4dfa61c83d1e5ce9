import { link, mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Context } from "../context.js";
import { runHostCommand } from "../host-command.js";
import type { ContainerState } from "../state.js";
import { assembleImage, descriptor } from "./assemble-image.js";

/** Writes an image as an OCI layout in a tar file: https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md */
export async function writeOciArchive(
  cx: Context,
  file: string,
  variants: readonly ContainerState[],
): Promise<void> {
  const { top, children, configs, layers } = await assembleImage(cx, variants);
  await cx.store.withWorkFolder(async (work) => {
    const layout = cx.store.path(work, "layout");
    const blob = (digest: string): string => join(layout, "blobs", digest.replace(":", "/"));
    await mkdir(join(layout, "blobs/sha256"), { recursive: true });
    for (const { digest } of layers) await link(cx.store.blobPath(digest), blob(digest));
    for (const { digest, bytes } of [top, ...children, ...configs]) await writeFile(blob(digest), bytes);
    await writeFile(join(layout, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
    const index = { schemaVersion: 2, manifests: [descriptor(top)] };
    await writeFile(join(layout, "index.json"), JSON.stringify(index));
    const owner = ["--owner=:0", "--group=:0", "--mode=u=rwX,go=rX"];
    const reproducible = ["--sort=name", "--mtime=@0", "--hard-dereference", ...owner];
    // Made here, so that its mode is the caller's.
    await writeFile(file, "");
    const contents = ["oci-layout", "index.json", "blobs"];
    await runHostCommand(["tar", "-C", layout, ...reproducible, "-cf", resolve(file), ...contents]);
  });
}
