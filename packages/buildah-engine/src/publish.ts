import { createReadStream } from "node:fs";
import { link, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { formatReference, parseReference, type Registry } from "@tgo/oci";
import { command } from "./command.js";
import type { Context } from "./context.js";
import { told } from "./events.js";
import { assembleImage, descriptor, type ImageDocuments, type MediaTypes } from "./image.js";
import type { Route } from "./images.js";
import type { ContainerState } from "./state.js";

/**
 * Pushes an image of these variants.
 * @returns `host/repository:tag@sha256:…`
 */
export async function publish(
  cx: Context,
  address: string,
  variants: readonly ContainerState[],
  types: MediaTypes,
  route: Route,
): Promise<string> {
  const { host, repository, tag = "latest" } = parseReference(address);
  const registry = await cx.images.registry(host, repository, route);
  const image = await assembleImage(cx, variants, types);
  await told(cx.onEvent, { kind: "push", title: address }, () => push(cx, registry, repository, tag, image));
  return formatReference({ host, repository, tag, digest: image.top.digest });
}

async function push(
  cx: Context,
  registry: Registry,
  repository: string,
  tag: string,
  image: ImageDocuments,
): Promise<void> {
  await Promise.all([
    ...image.layers.map(({ digest, size }) =>
      registry.putBlob(repository, {
        digest,
        size,
        open: () =>
          Readable.toWeb(
            createReadStream(cx.store.blobPath(digest), { highWaterMark: 1 << 18 }),
          ) as ReadableStream<Uint8Array>,
      }),
    ),
    ...image.configs.map(({ digest, size, bytes }) =>
      registry.putBlob(repository, { digest, size, open: () => bytes }),
    ),
  ]);
  for (const { digest, mediaType, bytes } of image.children)
    await registry.putManifest(repository, digest, mediaType, bytes);
  await registry.putManifest(repository, tag, image.top.mediaType, image.top.bytes);
}

/** Writes the image as an OCI layout in a tar file: https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md */
export async function writeTarball(
  cx: Context,
  file: string,
  variants: readonly ContainerState[],
  types: MediaTypes,
): Promise<void> {
  const image = await assembleImage(cx, variants, types);
  const work = await cx.store.workFolder();
  try {
    const layout = cx.store.path(work, "layout");
    const blobs = join(layout, "blobs/sha256");
    await mkdir(blobs, { recursive: true });
    for (const { digest } of image.layers)
      await link(cx.store.blobPath(digest), join(blobs, digest.slice("sha256:".length)));
    for (const { digest, bytes } of [image.top, ...image.children, ...image.configs])
      await writeFile(join(blobs, digest.slice("sha256:".length)), bytes);
    await writeFile(join(layout, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
    await writeFile(
      join(layout, "index.json"),
      JSON.stringify({ schemaVersion: 2, manifests: [descriptor(image.top)] }),
    );
    await command([
      "tar",
      "-C",
      layout,
      "--sort=name",
      "--mtime=@0",
      "--owner=:0",
      "--group=:0",
      "--hard-dereference",
      "-cf",
      file,
      "oci-layout",
      "index.json",
      "blobs",
    ]);
  } finally {
    await cx.store.discard(work);
  }
}
