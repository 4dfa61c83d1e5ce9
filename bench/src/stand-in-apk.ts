import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import {
  digestOf,
  isIndex,
  parseConfig,
  Registry,
  type Descriptor,
  type Manifest,
  type ManifestOrIndex,
} from "@tgo/registry";

const run = promisify(execFile);

/**
 * Stand-ins are made of Debian packages, but Dockerfiles for Alpine call apk. This one installs nothing and so costs a
 * Dockerfile no time; the only package the samples install, curl, is part of the real images.
 */
const APK = `#!/bin/sh
echo "stand-in apk, installs nothing: apk $*"
`;
const PATH = "usr/local/bin/apk";

interface Layer {
  readonly diffId: string;
  readonly bytes: Uint8Array;
}

/** Adds a layer with {@link APK} to every image with an alpine tag in a registry, and keeps the tag. */
export async function addApk(host: string): Promise<void> {
  const client = new Registry({ host });
  const response = await fetch(`${client.url}/v2/_catalog`);
  const { repositories } = (await response.json()) as { repositories: string[] };
  const layer = await apkLayer();
  for (const repository of repositories) {
    for (const tag of await client.tags(repository)) {
      if (tag.includes("alpine")) await extendImage(client, repository, tag, layer);
    }
  }
}

async function extendImage(
  client: Registry,
  repository: string,
  reference: string,
  layer: Layer,
): Promise<void> {
  const { value } = await client.manifest(repository, reference);
  if (!isIndex(value)) {
    await extendManifest(client, repository, value, layer);
    return;
  }
  const manifests: Descriptor[] = [];
  for (const entry of value.manifests) {
    const child = await client.manifest(repository, entry.digest);
    const { digest, size } = await extendManifest(client, repository, child.value as Manifest, layer);
    manifests.push({ ...entry, digest, size });
  }
  await putDocument(client, repository, reference, { ...value, manifests });
}

async function extendManifest(
  client: Registry,
  repository: string,
  manifest: Manifest,
  { diffId, bytes }: Layer,
): Promise<Descriptor> {
  const blob = await new Response(await client.blob(repository, manifest.config)).arrayBuffer();
  const config = parseConfig(new Uint8Array(blob), repository);
  const changedConfig = Buffer.from(
    JSON.stringify({
      ...config,
      rootfs: { ...config.rootfs, diff_ids: [...config.rootfs.diff_ids, diffId] },
      history: [...(config.history ?? []), { created: config.created, created_by: "apk (stand-in)" }],
    }),
  );
  const configDigest = await uploadBlob(client, repository, changedConfig);
  const layerDigest = await uploadBlob(client, repository, bytes);
  const mediaType = manifest.layers[0]?.mediaType ?? "application/vnd.oci.image.layer.v1.tar+gzip";
  const extended: Manifest = {
    ...manifest,
    config: { ...manifest.config, digest: configDigest, size: changedConfig.length },
    layers: [...manifest.layers, { mediaType, digest: layerDigest, size: bytes.length }],
  };
  const text = Buffer.from(JSON.stringify(extended));
  return putDocument(client, repository, digestOf(text), extended);
}

function putDocument(
  client: Registry,
  repository: string,
  reference: string,
  value: ManifestOrIndex,
): Promise<Descriptor> {
  return client.putManifest(repository, reference, value.mediaType, Buffer.from(JSON.stringify(value)));
}

async function uploadBlob(client: Registry, repository: string, bytes: Uint8Array): Promise<string> {
  const digest = digestOf(bytes);
  await client.putBlob(repository, { digest, size: bytes.length, open: () => bytes });
  return digest;
}

async function apkLayer(): Promise<Layer> {
  const folder = await mkdtemp(join(tmpdir(), "tgo-bench-apk-"));
  try {
    await mkdir(dirname(join(folder, PATH)), { recursive: true });
    await writeFile(join(folder, PATH), APK);
    await chmod(join(folder, PATH), 0o755);
    const flags = ["--mtime=@315532800", "--owner=0", "--group=0", "--numeric-owner"];
    const { stdout } = await run("tar", ["-C", folder, ...flags, "-cf", "-", PATH], { encoding: "buffer" });
    return { diffId: digestOf(stdout), bytes: gzipSync(stdout) };
  } finally {
    await rm(folder, { recursive: true });
  }
}
