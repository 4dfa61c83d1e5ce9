import { gzipSync } from "node:zlib";
import { canonicalJson, digestOf, isIndex, OCI_LAYER_GZIP, parseConfig, type Registry } from "@tgo/registry";
import { createTar, type TarEntry } from "./stage-images.js";

/** What somebody with push access changes in an image. */
export interface Rewrite {
  /** Files of one more layer of every variant. */
  readonly files?: readonly TarEntry[];
  /** Replaces the environment in every variant's config. */
  readonly env?: readonly string[];
  /** Added to the index's annotations. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * Rewrites the image under a tag, as somebody with push access to this registry can: other content, the same tag and
 * annotations, canonical JSON.
 * @returns the digest of the new index
 */
export async function rewriteImage(
  registry: Registry,
  repository: string,
  tag: string,
  { files, env, annotations }: Rewrite,
): Promise<string> {
  const put = async (bytes: Uint8Array): Promise<{ digest: string; size: number }> => {
    const blob = { digest: digestOf(bytes), size: bytes.length };
    await registry.putBlob(repository, { ...blob, open: () => bytes });
    return blob;
  };
  const putManifest = async (
    reference: string | undefined,
    value: { readonly mediaType: string; readonly [field: string]: unknown },
  ) => {
    const bytes = new TextEncoder().encode(canonicalJson(value));
    const digest = digestOf(bytes);
    await registry.putManifest(repository, reference ?? digest, value.mediaType, bytes);
    return { mediaType: value.mediaType, digest, size: bytes.length };
  };
  const { value: index } = await registry.manifest(repository, tag);
  if (!isIndex(index)) throw new Error(`${tag} is no index`);
  const manifests: unknown[] = [];
  for (const child of index.manifests) {
    const { value: manifest } = await registry.manifest(repository, child.digest);
    if (isIndex(manifest)) throw new Error(`${child.digest} is an index`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of await registry.blob(repository, manifest.config)) chunks.push(chunk);
    const config = parseConfig(Buffer.concat(chunks), child.digest);
    const tar = files === undefined ? undefined : createTar(files);
    const layers = tar === undefined ? [] : [{ mediaType: OCI_LAYER_GZIP, ...(await put(gzipSync(tar))) }];
    const ids = tar === undefined ? [] : [digestOf(tar)];
    const rewritten = {
      ...config,
      config: { ...config.config, ...(env === undefined ? {} : { Env: env }) },
      rootfs: { ...config.rootfs, diff_ids: [...config.rootfs.diff_ids, ...ids] },
    };
    const configBlob = await put(new TextEncoder().encode(canonicalJson(rewritten)));
    const { platform } = child;
    const descriptor = await putManifest(undefined, {
      ...manifest,
      config: { ...manifest.config, ...configBlob },
      layers: [...manifest.layers, ...layers],
    });
    manifests.push({ ...descriptor, platform });
  }
  const rewritten = { ...index, manifests, annotations: { ...index.annotations, ...annotations } };
  return (await putManifest(tag, rewritten)).digest;
}
