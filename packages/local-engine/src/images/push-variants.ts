import { open, type FileHandle } from "node:fs/promises";
import { formatReference, parseReference, TransferMeter, type OnBytes, type Registry } from "@tgo/registry";
import pLimit from "p-limit";
import type { Context } from "../context.js";
import { withEvents } from "../events.js";
import type { ContainerState } from "../state.js";
import { assembleImage } from "./assemble-image.js";
import type { Images, Route } from "./images.js";

/** Bytes of a layer read at a time. */
const CHUNK = 1 << 18;

/** Across all images and registries: each upload takes a few megabytes of memory. */
const uploadLimit = pLimit(4);

/**
 * Pushes an image with these variants.
 * @returns `host/repository:tag@sha256:…`
 */
export async function pushVariants(
  cx: Context & { readonly images: Images },
  address: string,
  variants: readonly ContainerState[],
  route: Route,
): Promise<string> {
  const { host, repository, tag = "latest" } = parseReference(address);
  const registry = await cx.images.registry(host, route);
  const event = { kind: "push", title: address } as const;
  const digest = await withEvents(cx.settings.onEvent, event, () =>
    push(cx, variants, {
      registry,
      repository,
      tag,
      onBytes: (done, total) => {
        cx.settings.onEvent({ ...event, state: "amount", done, total });
      },
    }),
  );
  return formatReference({ host, repository, tag, digest });
}

interface Destination {
  readonly registry: Registry;
  readonly repository: string;
  readonly tag: string;
  readonly onBytes: OnBytes;
}

/** @returns the digest of the image's top document */
async function push(
  cx: Context,
  variants: readonly ContainerState[],
  { registry, repository, tag, onBytes }: Destination,
): Promise<string> {
  const meter = new TransferMeter([], onBytes);
  const uploads = new Map<string, Promise<void>>();
  const upload = (blob: Parameters<Registry["putBlob"]>[1]): void => {
    if (uploads.has(blob.digest)) return;
    meter.add(blob);
    const sent = uploadLimit(async () => {
      await registry.putBlob(repository, blob);
      meter.finish(blob.digest, blob.size);
    });
    // Reported below, once all layers are compressed.
    sent.catch(() => undefined);
    uploads.set(blob.digest, sent);
  };
  // A layer is sent while others are compressed.
  const image = await assembleImage(cx, variants, ({ digest, size }) => {
    upload({ digest, size, open: () => meter.count(digest, fileStream(cx.store.blobPath(digest))) });
  });
  for (const { digest, size, bytes } of image.configs) upload({ digest, size, open: () => bytes });
  await Promise.all(uploads.values());
  for (const { digest, mediaType, bytes } of image.children)
    await registry.putManifest(repository, digest, mediaType, bytes);
  await registry.putManifest(repository, tag, image.top.mediaType, image.top.bytes);
  return image.top.digest;
}

/**
 * Streams a file on demand, through the same four buffers: a new buffer for each read would become garbage faster than it is
 * collected, hundreds of megabytes on a fast network. A buffer is reused four reads later, when at most one is on the wire
 * and one is queued. A consumer that keeps more would send bytes that do not match the digest, which no registry accepts.
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
