import { gzipSync } from "node:zlib";
import { Header } from "tar";
import {
  digestOf,
  type Registry,
  DOCKER_CONFIG,
  DOCKER_LAYER_GZIP,
  DOCKER_LIST,
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_LAYER_GZIP,
  OCI_MANIFEST,
} from "@tgo/registry";

export const X86_64 = 62;
export const AARCH64 = 183;

/** The beginning of an ELF file for this machine, and a few more bytes. */
export function elfFile(machine: number, { endian = "little", bits = 64 } = {}): Buffer {
  const bytes = Buffer.alloc(64);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, bits === 64 ? 2 : 1, endian === "little" ? 1 : 2, 1]);
  if (endian === "little") bytes.writeUInt16LE(machine, 18);
  else bytes.writeUInt16BE(machine, 18);
  return bytes;
}

export type TarEntry =
  | { path: string; content: Buffer | string }
  | { path: string; link: string }
  | { path: string; symlink: string }
  | { path: string; folder: true };

/** A tar archive of these entries. */
export function createTar(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap((entry) => {
    const content = "content" in entry ? Buffer.from(entry.content) : Buffer.alloc(0);
    const header = new Header({
      path: entry.path,
      mode: 0o755,
      uid: 0,
      gid: 0,
      size: content.length,
      mtime: new Date(0),
      type:
        "link" in entry
          ? "Link"
          : "symlink" in entry
            ? "SymbolicLink"
            : "folder" in entry
              ? "Directory"
              : "File",
      ...("link" in entry ? { linkpath: entry.link } : {}),
      ...("symlink" in entry ? { linkpath: entry.symlink } : {}),
    });
    const block = Buffer.alloc(512);
    header.encode(block);
    return [block, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

export function streamOf(bytes: Uint8Array, chunk = 64 * 1024): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) {
        controller.close();
        return;
      }
      controller.enqueue(bytes.subarray(at, at + chunk));
      at += chunk;
    },
  });
}

export interface VariantSpec {
  readonly platform: string;
  readonly layers?: readonly (readonly TarEntry[])[];
  readonly labels?: Record<string, string>;
  /** Merged into the config document. */
  readonly config?: Record<string, unknown>;
  /** The platform in the index; default the variant's own. */
  readonly listedAs?: string;
}

/** One file that all platforms share, and one program of the platform. */
function defaultLayers(platform: string): TarEntry[][] {
  const machine = platform === "linux/arm64" ? AARCH64 : X86_64;
  return [
    [{ path: "app/main.py", content: "print('hello')\n" }],
    [{ path: "usr/bin/tool", content: elfFile(machine) }],
  ];
}

/** Pushes an image as an engine would: variants first, then an index under the tag. */
export async function stageImage(
  registry: Registry,
  repository: string,
  tag: string,
  variants: readonly VariantSpec[],
  {
    docker = false,
    attestation = false,
    annotations,
  }: { docker?: boolean; attestation?: boolean; annotations?: Record<string, string> } = {},
): Promise<{ digest: string; children: { digest: string; layers: string[] }[] }> {
  const put = async (bytes: Uint8Array): Promise<{ digest: string; size: number }> => {
    const blob = { digest: digestOf(bytes), size: bytes.length };
    await registry.putBlob(repository, { ...blob, open: () => bytes });
    return blob;
  };
  const manifests: Record<string, unknown>[] = [];
  const children: { digest: string; layers: string[] }[] = [];
  for (const {
    platform,
    layers = defaultLayers(platform),
    labels,
    config,
    listedAs = platform,
  } of variants) {
    const tars = layers.map(createTar);
    const blobs = await Promise.all(tars.map((bytes) => put(gzipSync(bytes))));
    const [os = "", architecture = "", variant] = platform.split("/");
    const body = {
      created: "2020-01-01T00:00:00Z",
      os,
      architecture,
      ...(variant === undefined ? {} : { variant }),
      config: { Env: ["PATH=/usr/bin"], Cmd: ["/usr/bin/tool"], Labels: labels ?? null },
      rootfs: { type: "layers", diff_ids: tars.map((bytes) => digestOf(bytes)) },
      history: tars.map((_, at) => ({ created: `2021-01-0${at + 1}T00:00:00Z`, created_by: `step ${at}` })),
      ...config,
    };
    const configBlob = await put(new TextEncoder().encode(JSON.stringify(body)));
    const mediaType = docker ? DOCKER_MANIFEST : OCI_MANIFEST;
    const manifest = {
      schemaVersion: 2,
      mediaType,
      config: { mediaType: docker ? DOCKER_CONFIG : OCI_CONFIG, ...configBlob },
      layers: blobs.map((blob) => ({ mediaType: docker ? DOCKER_LAYER_GZIP : OCI_LAYER_GZIP, ...blob })),
    };
    const bytes = new TextEncoder().encode(JSON.stringify(manifest));
    const { digest } = await registry.putManifest(repository, digestOf(bytes), mediaType, bytes);
    children.push({ digest, layers: blobs.map((blob) => blob.digest) });
    const [listedOs, listedArchitecture] = listedAs.split("/");
    manifests.push({
      mediaType,
      digest,
      size: bytes.length,
      platform: { os: listedOs, architecture: listedArchitecture },
    });
  }
  if (attestation) {
    const empty = await put(new TextEncoder().encode("{}"));
    const bytes = new TextEncoder().encode(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: OCI_MANIFEST,
        config: { mediaType: OCI_CONFIG, ...empty },
        layers: [],
      }),
    );
    const { digest } = await registry.putManifest(repository, digestOf(bytes), OCI_MANIFEST, bytes);
    manifests.push({
      mediaType: OCI_MANIFEST,
      digest,
      size: bytes.length,
      platform: { os: "unknown", architecture: "unknown" },
      annotations: { "vnd.docker.reference.type": "attestation-manifest" },
    });
  }
  const mediaType = docker ? DOCKER_LIST : OCI_INDEX;
  const index = new TextEncoder().encode(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      manifests,
      ...(annotations === undefined ? {} : { annotations }),
    }),
  );
  const { digest } = await registry.putManifest(repository, tag, mediaType, index);
  return { digest, children };
}

export const BOTH_PLATFORMS = ["linux/amd64", "linux/arm64"] as const;
