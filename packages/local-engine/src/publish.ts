import { link, mkdir, open, writeFile, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { formatReference, parseReference, type Registry } from "@tgo/registry";
import { command } from "./command.js";
import type { Context } from "./context.js";
import { told } from "./events.js";
import { assembleImage, descriptor, type ImageDocuments } from "./image.js";
import type { Route } from "./images.js";
import { ConcurrencyLimit } from "./lazy.js";
import type { ContainerState } from "./state.js";

/** Bytes of a layer read at once. */
const CHUNK = 1 << 18;

/** Of all images and registries together: each upload holds a few megabytes of memory. */
const uploads = new ConcurrencyLimit(4);

/**
 * Pushes an image of these variants.
 * @returns `host/repository:tag@sha256:…`
 */
export async function publish(
  cx: Context,
  address: string,
  variants: readonly ContainerState[],
  route: Route,
): Promise<string> {
  const { host, repository, tag = "latest" } = parseReference(address);
  const registry = await cx.images.registry(host, route);
  const image = await assembleImage(cx, variants);
  const event = { kind: "push", title: address } as const;
  await told(cx.settings.onEvent, event, () => push(cx, registry, repository, tag, image));
  return formatReference({ host, repository, tag, digest: image.top.digest });
}

async function push(
  cx: Context,
  registry: Registry,
  repository: string,
  tag: string,
  image: ImageDocuments,
): Promise<void> {
  const blobs = [
    ...image.layers.map(({ digest, size }) => ({
      digest,
      size,
      open: () => fileStream(cx.store.blobPath(digest)),
    })),
    ...image.configs.map(({ digest, size, bytes }) => ({ digest, size, open: () => bytes })),
  ];
  await Promise.all(blobs.map((blob) => uploads.run(() => registry.putBlob(repository, blob))));
  for (const { digest, mediaType, bytes } of image.children)
    await registry.putManifest(repository, digest, mediaType, bytes);
  await registry.putManifest(repository, tag, image.top.mediaType, image.top.bytes);
}

/**
 * A file's bytes, read when they are asked for, in the same few buffers again and again: a new one for each read is
 * garbage faster than it is collected, hundreds of megabytes of it on a fast network. A buffer comes back four reads
 * later; one is on the wire then and one waits. A consumer that keeps more would send bytes that are not those of the
 * digest, which no registry accepts.
 */
function fileStream(path: string): ReadableStream<Uint8Array> {
  const buffers = Array.from({ length: 4 }, () => Buffer.allocUnsafeSlow(CHUNK));
  let file: FileHandle | undefined;
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        file ??= await open(path);
        const buffer = buffers.shift() ?? Buffer.allocUnsafeSlow(CHUNK);
        buffers.push(buffer);
        const { bytesRead } = await file.read(buffer, 0, CHUNK);
        if (bytesRead > 0) {
          controller.enqueue(buffer.subarray(0, bytesRead));
          return;
        }
        await file.close();
        controller.close();
      },
      cancel: () => file?.close(),
    },
    { highWaterMark: 0 },
  );
}

/** Writes the image as an OCI layout in a tar file: https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md */
export async function writeTarball(
  cx: Context,
  file: string,
  variants: readonly ContainerState[],
): Promise<void> {
  const { top, children, configs, layers } = await assembleImage(cx, variants);
  await cx.store.inWork(async (work) => {
    const layout = cx.store.path(work, "layout");
    const blob = (digest: string): string => join(layout, "blobs", digest.replace(":", "/"));
    await mkdir(join(layout, "blobs/sha256"), { recursive: true });
    for (const { digest } of layers) await link(cx.store.blobPath(digest), blob(digest));
    for (const { digest, bytes } of [top, ...children, ...configs]) await writeFile(blob(digest), bytes);
    await writeFile(join(layout, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
    const index = { schemaVersion: 2, manifests: [descriptor(top)] };
    await writeFile(join(layout, "index.json"), JSON.stringify(index));
    const repeatable = ["--sort=name", "--mtime=@0", "--owner=:0", "--group=:0", "--hard-dereference"];
    await command(["tar", "-C", layout, ...repeatable, "-cf", file, "oci-layout", "index.json", "blobs"]);
  });
}
