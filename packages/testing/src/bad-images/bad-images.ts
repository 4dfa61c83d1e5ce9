import { gzipSync } from "node:zlib";
import {
  ATTESTATION_ANNOTATION,
  DOCKER_CONFIG,
  DOCKER_LIST,
  DOCKER_MANIFEST,
  OCI_FOREIGN_LAYER_GZIP,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
  type Descriptor,
} from "@tgo/registry";
import type { MemoryRegistry } from "../memory-registry.js";
import { X86_64, createTar, elfFile } from "../stage-images.js";
import { imageDraft, storeDraft, type ImageDraft, type StoredImage } from "./draft.js";

/** Programs of others that read an image whole. */
export const JUDGES = ["skopeo", "crane", "regctl", "oras"] as const;
export type Judge = (typeof JUDGES)[number];

/** What a bad image is wrong in. */
export type Fault =
  /** The list of platforms: only who knows the plan can tell. */
  | "platforms"
  /** A document contradicts another, or is one that not every client reads alike. */
  | "documents"
  /** Something is not there, or has other bytes than its digest. */
  | "content"
  /** A layer is not the archive that its descriptor and its diff_id say. */
  | "layers"
  /** A program is for another machine. */
  | "programs";

/** An image that somebody could push, and nobody should. */
export interface BadImage {
  /** A tag. */
  readonly name: string;
  readonly fault: Fault;
  /** What our verification says, in one of its problems. */
  readonly says: RegExp;
  /** Which of the other judges refuse it, as `npm run judges` found. */
  readonly refusedBy: readonly Judge[];
  /** Those whose verdict depends on what they read first. */
  readonly sometimesRefusedBy: readonly Judge[];
  readonly make: (draft: ImageDraft) => void;
}

type Rest = Pick<BadImage, "says" | "make"> & Partial<Pick<BadImage, "refusedBy" | "sometimesRefusedBy">>;

const bad = (
  fault: Fault,
  name: string,
  { refusedBy = [], sometimesRefusedBy = [], ...rest }: Rest,
): BadImage => ({
  name,
  fault,
  refusedBy,
  sometimesRefusedBy,
  ...rest,
});

/** Changes the arm64 entry of the index. */
const arm64Entry =
  (change: (entry: Descriptor) => object) =>
  (draft: ImageDraft): void => {
    draft.index = ({ manifests: [amd64, arm64], ...index }) => ({
      ...index,
      manifests: [amd64, ...(arm64 === undefined ? [] : [{ ...arm64, ...change(arm64) }])],
    });
  };

/** Changes the index's list. */
const list =
  (change: (entries: readonly Descriptor[]) => unknown[]) =>
  (draft: ImageDraft): void => {
    draft.index = (index) => ({ ...index, manifests: change(index.manifests) });
  };

/** Changes the last layer's descriptor of the arm64 manifest. */
const lastLayer =
  (change: (layer: Descriptor) => object) =>
  (draft: ImageDraft): void => {
    draft.arm64.manifest = (manifest) => ({
      ...manifest,
      layers: manifest.layers.map((layer, at) =>
        at === manifest.layers.length - 1 ? { ...layer, ...change(layer) } : layer,
      ),
    });
  };

/** Changes the bytes that the registry has of the last arm64 layer, or of its config. */
const bytesOf =
  (which: "layer" | "config", change: (bytes: Buffer) => Buffer | undefined) =>
  (draft: ImageDraft): void => {
    draft.stored = ({ registry, repository, manifests: { arm64 } }) => {
      const { digest } = (which === "config" ? arm64.config : arm64.layers.at(-1)) ?? arm64.config;
      const key = `${repository} ${digest}`;
      const changed = change(Buffer.from(registry.blobs.get(key) ?? []));
      if (changed === undefined) registry.blobs.delete(key);
      else registry.blobs.set(key, changed);
    };
  };

const flipped = (bytes: Buffer): Buffer => {
  const changed = Buffer.from(bytes);
  const at = changed.length - 5;
  changed[at] = (changed[at] ?? 0) ^ 0xff;
  return changed;
};

/** The arm64 layers are made into blobs like this, and their diff_ids are right. */
const compressed =
  (compress: (tar: Buffer) => Buffer, layerType = OCI_LAYER_GZIP) =>
  ({ arm64 }: ImageDraft): void => {
    Object.assign(arm64, { compress, layerType });
  };

/** The arm64 variant has one more layer. */
const oneMoreLayer =
  (tar: Buffer) =>
  ({ arm64 }: ImageDraft): void => {
    arm64.tars.push(tar);
  };

const arm64Config =
  (change: (config: Record<string, unknown>) => unknown) =>
  ({ arm64 }: ImageDraft): void => {
    arm64.config = change;
  };

const arm64Manifest =
  (change: ImageDraft["arm64"]["manifest"]) =>
  ({ arm64 }: ImageDraft): void => {
    arm64.manifest = change;
  };

function without(name: string, object: object = {}): object {
  return Object.fromEntries(Object.entries(object).filter(([key]) => key !== name));
}

const ELSEWHERE = `sha256:${"0".repeat(64)}`;

/** A second entry of the index, made of the one for arm64. */
const attestation = (entry: Descriptor): object => ({
  ...entry,
  platform: { os: "unknown", architecture: "unknown" },
  annotations: { [ATTESTATION_ANNOTATION]: "attestation-manifest" },
});

/** Stores another document first, and lists it. */
const listing = (draft: ImageDraft, document: (stored: StoredImage) => unknown): void => {
  let other: Descriptor | undefined;
  draft.stored = (stored) => {
    other = stored.put(document(stored));
  };
  draft.index = ({ manifests: [amd64, arm64], ...index }) => ({
    ...index,
    manifests: [amd64, { ...other, platform: arm64?.platform }],
  });
};

export const BAD_IMAGES: readonly BadImage[] = [
  bad("platforms", "no-arm64", { says: /linux\/arm64 is missing/, make: list(([amd64]) => [amd64]) }),
  bad("platforms", "no-platform-at-all", {
    says: /it lists nothing/,
    make: list(() => []),
  }),
  bad("platforms", "one-more-platform", {
    refusedBy: ["crane"],
    says: /lists linux\/s390x, which is not planned/,
    make: list((all) => [...all, { ...all[1], platform: { os: "linux", architecture: "s390x" } }]),
  }),
  bad("platforms", "arm64-twice", {
    says: /lists linux\/arm64 more than once/,
    make: list((all) => [...all, all[1]]),
  }),
  bad("platforms", "entry-without-platform", {
    says: /linux\/arm64 is missing/,
    make: list(([amd64, arm64]) => [amd64, without("platform", arm64)]),
  }),
  bad("platforms", "platforms-swapped", {
    refusedBy: ["crane"],
    says: /the index says linux\/arm64, the variant's own config says linux\/amd64/,
    make: list(([amd64, arm64]) => [
      { ...amd64, platform: arm64?.platform },
      { ...arm64, platform: amd64?.platform },
    ]),
  }),
  bad("platforms", "odd-word-for-arm64", {
    refusedBy: ["crane"],
    says: /linux\/arm64 is missing/,
    make: arm64Entry(() => ({ platform: { os: "linux", architecture: "aarch64" } })),
  }),
  bad("platforms", "windows", {
    refusedBy: ["crane"],
    says: /linux\/arm64 is missing/,
    make: arm64Entry(() => ({ platform: { os: "windows", architecture: "arm64" } })),
  }),
  bad("platforms", "attestation", {
    refusedBy: ["crane"],
    says: /lists 1 attestation manifests/,
    make: list((all) => [...all, attestation(all[1] ?? ({} as Descriptor))]),
  }),
  bad("platforms", "only-attestations", {
    refusedBy: ["crane"],
    says: /lists 2 attestation manifests and no image/,
    make: list((all) => all.map(attestation)),
  }),
  bad("platforms", "single-manifest", {
    says: /it is a single manifest/,
    make: (draft) => {
      let manifest: unknown;
      draft.stored = ({ manifests }) => {
        manifest = manifests.amd64;
      };
      draft.index = () => manifest;
    },
  }),
  bad("documents", "docker-list", {
    says: /its media type is application\/vnd\.docker\.distribution\.manifest\.list\.v2\+json/,
    make: (draft) => {
      draft.index = (index) => ({ ...index, mediaType: DOCKER_LIST });
    },
  }),
  bad("documents", "not-json", {
    refusedBy: ["skopeo", "crane", "regctl", "oras"],
    says: /expected a manifest, got an HTML page/,
    make: (draft) => {
      draft.index = () => "<!DOCTYPE html><title>Sign in</title>";
    },
  }),
  bad("documents", "index-and-manifest", {
    refusedBy: ["skopeo"],
    says: /it is an index and a manifest at once/,
    make: (draft) => {
      let layers: readonly Descriptor[] = [];
      let config: Descriptor | undefined;
      draft.stored = ({ manifests: { amd64 } }) => {
        ({ layers, config } = amd64);
      };
      draft.index = (index) => ({ ...without("mediaType", index), config, layers });
    },
  }),
  bad("documents", "a-key-twice", {
    says: /twice|ambiguous|more than once/i,
    make: (draft) => {
      draft.index = (index) => JSON.stringify(index).replace('"manifests":', '"manifests":[],"manifests":');
    },
  }),
  bad("documents", "schema-version-1", {
    says: /schema(?:Version)? 1/i,
    make: (draft) => {
      draft.index = (index) => ({ ...index, schemaVersion: 1 });
    },
  }),
  bad("documents", "wrong-size-of-a-manifest", {
    refusedBy: ["oras"],
    says: /the index says \d+ bytes, the manifest has \d+/,
    make: arm64Entry(({ size }) => ({ size: size + 1 })),
  }),
  bad("documents", "wrong-type-of-a-manifest", {
    refusedBy: ["oras"],
    says: /the index calls the manifest application\/vnd\.docker/,
    make: arm64Entry(() => ({ mediaType: DOCKER_MANIFEST })),
  }),
  bad("documents", "nested-index", {
    refusedBy: ["skopeo"],
    says: /lists another index/,
    make: (draft) => {
      listing(draft, ({ index }) => index);
    },
  }),
  bad("documents", "os-features", {
    refusedBy: ["crane"],
    says: /lists it with "os\.features"/,
    make: arm64Entry(({ platform }) => ({ platform: { ...platform, "os.features": ["sse4"] } })),
  }),
  bad("documents", "wrong-embedded-data", {
    refusedBy: ["crane"],
    says: /the data embedded for/,
    make: arm64Entry(() => ({ data: Buffer.from("{}").toString("base64") })),
  }),
  bad("documents", "artifact", {
    says: /its config is application\/vnd\.example\.chart/,
    make: arm64Manifest((manifest) => ({
      ...manifest,
      config: { ...manifest.config, mediaType: "application/vnd.example.chart.v1+json" },
    })),
  }),
  bad("documents", "config-of-docker", {
    says: /its config is application\/vnd\.docker\.container\.image/,
    make: arm64Manifest((manifest) => ({
      ...manifest,
      config: { ...manifest.config, mediaType: DOCKER_CONFIG },
    })),
  }),
  bad("documents", "foreign-layer", {
    says: /nondistributable/,
    make: lastLayer(() => ({ mediaType: OCI_FOREIGN_LAYER_GZIP, urls: ["https://example.com/layer"] })),
  }),
  bad("documents", "encrypted-layer", {
    refusedBy: ["crane"],
    says: /is encrypted \(.*\+encrypted\)/,
    make: lastLayer(({ mediaType }) => ({ mediaType: `${mediaType}+encrypted` })),
  }),
  bad("documents", "unknown-layer", {
    refusedBy: ["crane"],
    says: /a layer is application\/vnd\.example\.disk/,
    make: lastLayer(() => ({ mediaType: "application/vnd.example.disk.v1" })),
  }),
  bad("documents", "layer-with-urls", {
    says: /names URLs/,
    make: lastLayer(() => ({ urls: ["https://example.com/layer"] })),
  }),
  bad("documents", "a-layer-with-two-sizes", {
    refusedBy: ["crane", "regctl"],
    // Both entries are read at once, into one file; 10 of 12 times it refused.
    sometimesRefusedBy: ["oras"],
    says: /listed with different sizes or media types|bytes there, not/,
    make: arm64Manifest(({ layers, ...manifest }) => ({
      ...manifest,
      layers: [...layers, ...layers.slice(-1).map((layer) => ({ ...layer, size: layer.size + 1 }))],
    })),
  }),
  bad("documents", "too-many-layers", {
    says: /lists 130 layers; Docker unpacks at most 125/,
    make: ({ arm64 }) => {
      const [layer = Buffer.alloc(0)] = arm64.tars;
      arm64.tars = Array.from({ length: 130 }, () => layer);
    },
  }),
  bad("documents", "config-of-the-other-platform", {
    refusedBy: ["crane"],
    says: /the index says linux\/arm64, the variant's own config says linux\/amd64/,
    make: arm64Config((config) => ({ ...config, architecture: "amd64" })),
  }),
  bad("documents", "config-without-rootfs", {
    refusedBy: ["crane"],
    says: /rootfs/,
    make: arm64Config((config) => without("rootfs", config)),
  }),
  bad("documents", "config-with-a-bad-time", {
    refusedBy: ["crane"],
    says: /created/,
    make: arm64Config((config) => ({ ...config, created: "yesterday" })),
  }),
  bad("documents", "config-that-is-not-json", {
    refusedBy: ["crane"],
    says: /config/,
    make: arm64Config(() => "architecture: arm64"),
  }),
  bad("documents", "too-few-diff-ids", {
    refusedBy: ["crane"],
    says: /has 2 layers, and its config lists 1 diff_ids/,
    make: arm64Config((config) => ({
      ...config,
      rootfs: { type: "layers", diff_ids: [ELSEWHERE] },
    })),
  }),
  bad("content", "manifest-missing", {
    refusedBy: ["skopeo", "crane", "regctl", "oras"],
    says: /linux\/arm64 is incomplete|not found|no manifest/i,
    make: arm64Entry(() => ({ digest: ELSEWHERE })),
  }),
  bad("content", "layer-missing", {
    refusedBy: ["skopeo", "crane", "regctl", "oras"],
    says: /sha256:\S+ is not in the repository/,
    make: bytesOf("layer", () => undefined),
  }),
  bad("content", "config-missing", {
    refusedBy: ["skopeo", "crane", "regctl", "oras"],
    says: /linux\/arm64 is incomplete/,
    make: bytesOf("config", () => undefined),
  }),
  bad("content", "layer-truncated", {
    refusedBy: ["skopeo", "crane", "regctl", "oras"],
    says: /bytes there, not \d+/,
    make: bytesOf("layer", (bytes) => bytes.subarray(0, -10)),
  }),
  bad("content", "layer-with-other-bytes", {
    refusedBy: ["skopeo", "crane", "regctl", "oras"],
    says: /sha256:/,
    make: bytesOf("layer", flipped),
  }),
  bad("content", "config-with-other-bytes", {
    refusedBy: ["skopeo", "crane", "regctl", "oras"],
    says: /sha256:/,
    make: bytesOf("config", flipped),
  }),
  bad("content", "wrong-size-of-a-layer", {
    refusedBy: ["crane", "regctl", "oras"],
    says: /bytes there, not \d+/,
    make: lastLayer(({ size }) => ({ size: size + 100 })),
  }),
  bad("layers", "diff-id-of-another-layer", {
    refusedBy: ["crane"],
    says: /its diff_id in the config is/,
    make: arm64Config((config) => ({
      ...config,
      rootfs: { type: "layers", diff_ids: [ELSEWHERE, ELSEWHERE] },
    })),
  }),
  bad("layers", "gzip-that-is-plain-tar", {
    refusedBy: ["crane"],
    says: /is not a tar\+gzip/,
    make: compressed((tar) => tar),
  }),
  bad("layers", "tar-that-is-gzip", {
    says: /is not a tar that all engines unpack alike/,
    make: compressed((tar) => gzipSync(tar), "application/vnd.oci.image.layer.v1.tar"),
  }),
  bad("layers", "zstd-that-is-gzip", {
    says: /tar\+zstd|cannot read layers compressed with zstd/,
    make: compressed((tar) => gzipSync(tar), OCI_LAYER_ZSTD),
  }),
  bad("layers", "gzip-cut-short", {
    refusedBy: ["crane"],
    says: /is not a tar\+gzip/,
    make: compressed((tar) => gzipSync(tar).subarray(0, -12)),
  }),
  bad("layers", "data-after-gzip", {
    refusedBy: ["crane"],
    says: /more data follows|is not a tar\+gzip/,
    make: compressed((tar) => Buffer.concat([gzipSync(tar), Buffer.alloc(64)])),
  }),
  bad("layers", "not-an-archive", {
    refusedBy: ["crane"],
    says: /is not a tar\+gzip/,
    make: oneMoreLayer(Buffer.from("#!/bin/sh\n".repeat(200))),
  }),
  bad("layers", "hard-link-to-a-lower-layer", {
    says: /does not have before it/,
    make: oneMoreLayer(createTar([{ path: "usr/bin/other", link: "usr/bin/tool" }])),
  }),
  bad("layers", "path-through-a-symbolic-link", {
    says: /a path through a symbolic link/,
    make: oneMoreLayer(
      createTar([
        { path: "lib", symlink: "usr/lib" },
        { path: "lib/a.so", content: "a" },
      ]),
    ),
  }),
  bad("layers", "a-file-twice", {
    refusedBy: ["crane"],
    says: /twice/,
    make: oneMoreLayer(
      createTar([
        { path: "etc/a", content: "1" },
        { path: "etc/a", content: "2" },
      ]),
    ),
  }),
  bad("programs", "program-of-the-other-platform", {
    says: /linux\/arm64 contains 1 file for another machine: \/usr\/bin\/other \(x86-64\)/,
    make: oneMoreLayer(createTar([{ path: "usr/bin/other", content: elfFile(X86_64) }])),
  }),
  bad("programs", "library-of-the-other-platform", {
    says: /linux\/arm64 contains 1 file for another machine: \/app\/_speedups\.so/,
    make: oneMoreLayer(createTar([{ path: "app/_speedups.so", content: elfFile(X86_64) }])),
  }),
  bad("programs", "everything-of-the-other-platform", {
    says: /linux\/arm64 contains 1 file for another machine/,
    make: ({ amd64, arm64 }) => {
      arm64.tars = [...amd64.tars];
    },
  }),
];

/** Puts all of them, and a good one, into a registry, each under its name. */
export function plantBadImages(registry: MemoryRegistry, repository: string): void {
  storeDraft(registry, repository, "good", imageDraft());
  for (const { name, make } of BAD_IMAGES) {
    const draft = imageDraft();
    make(draft);
    // A repository each: what one lacks, another has.
    storeDraft(registry, `${repository}/${name}`, "bad", draft);
  }
}
