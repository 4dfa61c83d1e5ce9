import { spawn } from "node:child_process";
import { createHash, type Hash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { TgoError } from "@tgo/errors";

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly architecture: string; readonly os: string; readonly variant?: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Layer {
  readonly descriptor: Descriptor;
  /** Digest of the uncompressed tar. */
  readonly diffId: string;
}

export const INDEX = "application/vnd.oci.image.index.v1+json";
export const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
export const CONFIG = "application/vnd.oci.image.config.v1+json";
const LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";

/** An OCI layout: https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md */
export interface Layout {
  readonly dir: string;
  /** Packs these paths of a root, in this order. @param epoch seconds; the latest time of any file in the layer */
  readonly addLayer: (root: string, paths: readonly string[], epoch: string) => Promise<Layer>;
  readonly addJson: (mediaType: string, value: unknown) => Promise<Descriptor>;
  /** Names the images by tag, and completes the layout. */
  readonly finish: (images: ReadonlyMap<string, Descriptor>) => Promise<void>;
}

export async function createLayout(dir: string): Promise<Layout> {
  const blobs = join(dir, "blobs", "sha256");
  await mkdir(blobs, { recursive: true });
  let parts = 0;
  return {
    dir,
    addLayer: async (root, paths, epoch) => {
      parts += 1;
      const part = join(dir, `part-${parts}`);
      const layer = await packLayer(root, paths, epoch, part);
      await rename(part, join(blobs, layer.descriptor.digest.slice("sha256:".length)));
      return layer;
    },
    addJson: async (mediaType, value) => {
      const text = JSON.stringify(value);
      const hex = createHash("sha256").update(text).digest("hex");
      await writeFile(join(blobs, hex), text);
      return { mediaType, digest: `sha256:${hex}`, size: Buffer.byteLength(text) };
    },
    finish: async (images) => {
      const manifests = [...images].map(([name, descriptor]) => ({
        ...descriptor,
        annotations: { "org.opencontainers.image.ref.name": name },
      }));
      await writeFile(
        join(dir, "index.json"),
        JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests }),
      );
      await writeFile(join(dir, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
    },
  };
}

async function packLayer(
  root: string,
  paths: readonly string[],
  epoch: string,
  file: string,
): Promise<Layer> {
  const list = `${file}.list`;
  await writeFile(list, paths.join("\0"));
  const tar = spawn(
    "tar",
    [
      ...["-C", root, "--null", "--no-recursion", "--verbatim-files-from", "-T", list],
      ...["--numeric-owner", "--format=gnu", "--clamp-mtime", `--mtime=@${epoch}`, "-c"],
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let errors = "";
  tar.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => tar.once("close", resolve));
  const plain = createHash("sha256");
  const packed = createHash("sha256");
  let size = 0;
  const count = new PassThrough().on("data", (chunk: Buffer) => {
    size += chunk.length;
  });
  // The fastest level: these bytes never leave the machine.
  await pipeline(
    tar.stdout,
    tee(plain),
    createGzip({ level: 1 }),
    tee(packed),
    count,
    createWriteStream(file),
  );
  if ((await ended) !== 0) throw new TgoError("ENVIRONMENT", `tar failed: ${errors.trim()}`);
  await rm(list);
  const digest = `sha256:${packed.digest("hex")}`;
  return { descriptor: { mediaType: LAYER, digest, size }, diffId: `sha256:${plain.digest("hex")}` };
}

function tee(hash: Hash): Transform {
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      hash.update(chunk);
      done(null, chunk);
    },
  });
}
