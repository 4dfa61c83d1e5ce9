import { gzipSync } from "node:zlib";
import {
  OCI_CONFIG,
  OCI_INDEX,
  OCI_LAYER_GZIP,
  OCI_MANIFEST,
  digestOf,
  type Descriptor,
} from "@tgo/registry";
import type { MemoryRegistry } from "../memory-registry.js";
import { AARCH64, X86_64, createTar, elfFile } from "../stage-images.js";

export type Json = Record<string, unknown>;

/** One platform of an image that is being made, before its digests are known. */
export interface VariantDraft {
  readonly architecture: "amd64" | "arm64";
  /** Uncompressed archives, the lowest first. */
  tars: Buffer[];
  /** Makes a layer's blob of its archive. */
  compress: (tar: Buffer) => Buffer;
  layerType: string;
  /** Changes the documents when everything above is known. */
  config: (config: Json) => unknown;
  manifest: (manifest: ManifestDraft) => unknown;
}

export interface ManifestDraft extends Json {
  config: Descriptor;
  layers: Descriptor[];
}

export interface IndexDraft extends Json {
  manifests: Descriptor[];
}

/** An image of two platforms that is being made. */
export interface ImageDraft {
  readonly amd64: VariantDraft;
  readonly arm64: VariantDraft;
  /** Changes the index, or puts something else in its place. */
  index: (index: IndexDraft) => unknown;
  /** Changes what the registry has when everything is in it. */
  stored: (stored: StoredImage) => void;
}

/** An image in a registry. */
export interface StoredImage {
  readonly registry: MemoryRegistry;
  readonly repository: string;
  readonly index: IndexDraft;
  /** By architecture. */
  readonly manifests: Readonly<Record<"amd64" | "arm64", ManifestDraft>>;
  /** Stores a document under its digest. */
  readonly put: (document: unknown) => Descriptor;
}

const encode = (value: unknown): Buffer =>
  typeof value === "string" ? Buffer.from(value) : Buffer.from(JSON.stringify(value));

function variantDraft(architecture: "amd64" | "arm64"): VariantDraft {
  const machine = architecture === "arm64" ? AARCH64 : X86_64;
  return {
    architecture,
    tars: [
      createTar([{ path: "app/main.py", content: "print('hello')\n" }]),
      createTar([{ path: "usr/bin/tool", content: elfFile(machine) }]),
    ],
    compress: (tar) => gzipSync(tar),
    layerType: OCI_LAYER_GZIP,
    config: (config) => config,
    manifest: (manifest) => manifest,
  };
}

export function imageDraft(): ImageDraft {
  return {
    amd64: variantDraft("amd64"),
    arm64: variantDraft("arm64"),
    index: (index) => index,
    stored: () => undefined,
  };
}

/** Puts an image into a registry that checks nothing, under a tag. */
export function storeDraft(
  registry: MemoryRegistry,
  repository: string,
  tag: string,
  draft: ImageDraft,
): void {
  const putBlob = (bytes: Buffer): { digest: string; size: number } => {
    const digest = digestOf(bytes);
    registry.blobs.set(`${repository} ${digest}`, bytes);
    return { digest, size: bytes.length };
  };
  const putManifest = (document: unknown, reference?: string): Descriptor => {
    const bytes = encode(document);
    const digest = digestOf(bytes);
    const { mediaType = OCI_MANIFEST } = (typeof document === "object" ? document : {}) as {
      mediaType?: string;
    };
    for (const name of [digest, ...(reference === undefined ? [] : [reference])])
      registry.manifests.set(`${repository} ${name}`, { mediaType, bytes });
    return { mediaType, digest, size: bytes.length };
  };
  const putVariant = (variant: VariantDraft): { manifest: ManifestDraft; descriptor: Descriptor } => {
    const { architecture, tars, compress, layerType } = variant;
    const config = variant.config({
      created: "2020-01-01T00:00:00Z",
      os: "linux",
      architecture,
      config: { Env: ["PATH=/usr/bin"], Cmd: ["/usr/bin/tool"] },
      rootfs: { type: "layers", diff_ids: tars.map((tar) => digestOf(tar)) },
      history: tars.map((_, at) => ({ created: "2020-01-01T00:00:00Z", created_by: `step ${at}` })),
    });
    const manifest: ManifestDraft = {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: { mediaType: OCI_CONFIG, ...putBlob(encode(config)) },
      layers: tars.map((tar) => ({ mediaType: layerType, ...putBlob(compress(tar)) })),
    };
    const descriptor = putManifest(variant.manifest(manifest));
    return { manifest, descriptor: { ...descriptor, platform: { os: "linux", architecture } } };
  };
  const amd64 = putVariant(draft.amd64);
  const arm64 = putVariant(draft.arm64);
  const index: IndexDraft = {
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: [amd64.descriptor, arm64.descriptor],
  };
  const manifests = { amd64: amd64.manifest, arm64: arm64.manifest };
  // A nested index, or an attestation, is stored before the index that lists it.
  const put = (document: unknown): Descriptor => putManifest(document);
  const stored: StoredImage = { registry, repository, index, manifests, put };
  draft.stored(stored);
  const document = draft.index(index);
  const bytes = encode(document);
  const { mediaType = OCI_INDEX } = (typeof document === "object" ? document : {}) as { mediaType?: string };
  registry.manifests.set(`${repository} ${tag}`, { mediaType, bytes });
  registry.manifests.set(`${repository} ${digestOf(bytes)}`, { mediaType, bytes });
}
