import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { TgoError } from "@tgo/errors";
import {
  isIndex,
  MAX_MANIFEST_BYTES,
  parseConfig,
  parseManifestOrIndex,
  type Descriptor,
} from "@tgo/registry";
import { TarReader, type ContentScan, type TarEntry } from "./layers/tar-reader.js";
import { platformOf } from "./platform.js";
import { isAttestation, type StagedVariant } from "./read-staged-image.js";

/**
 * Reads an image that an engine exported as an archive of an OCI image layout; layers are passed over.
 * @param path of the archive, on this machine
 * @throws TgoError INVALID_RESPONSE when it is no such archive
 */
export async function readStagedArchive(path: string): Promise<StagedVariant[]> {
  const documents = await readDocuments(path);
  const read = ({ digest }: Descriptor): Uint8Array => {
    const found = documents.get(`blobs/${digest.replace(":", "/")}`);
    if (found === undefined) throw unreadable(path, `it lacks ${digest}`);
    return found;
  };
  const variantsOf = (child: Descriptor): StagedVariant[] => {
    const value = parseManifestOrIndex(read(child), path);
    if (isIndex(value)) return value.manifests.filter((each) => !isAttestation(each)).flatMap(variantsOf);
    const config = parseConfig(read(value.config), path);
    const platform = child.platform === undefined ? undefined : platformOf(child.platform);
    return [{ platform, digest: child.digest, manifest: value, config }];
  };
  const index = documents.get("index.json");
  if (index === undefined) throw unreadable(path, "it has no index.json");
  const layout = parseManifestOrIndex(index, path);
  if (!isIndex(layout)) throw unreadable(path, "its index.json is no index");
  return layout.manifests.flatMap(variantsOf);
}

/** The archive's small files by path: manifests and configs, and layers that are no larger. */
async function readDocuments(path: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const documents = new Map<string, Uint8Array>();
  const reader = new TarReader<Uint8Array>(
    (_, size) => new WholeFile(size <= MAX_MANIFEST_BYTES),
    ({ path: name, facts }: TarEntry<Uint8Array>) => {
      if (facts !== undefined) documents.set(name.replace(/^(?:\.?\/)+/, ""), facts);
    },
  );
  try {
    await pipeline(createReadStream(path), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) reader.write(chunk);
      reader.end();
    });
  } catch (cause) {
    throw unreadable(path, cause instanceof Error ? cause.message : String(cause));
  }
  return documents;
}

class WholeFile implements ContentScan<Uint8Array> {
  readonly #parts: Buffer[] = [];

  constructor(private readonly isWanted: boolean) {}

  add(bytes: Buffer): boolean {
    if (this.isWanted) this.#parts.push(Buffer.from(bytes));
    return this.isWanted;
  }

  facts(): Uint8Array | undefined {
    return this.isWanted ? Buffer.concat(this.#parts) : undefined;
  }
}

function unreadable(path: string, why: string): TgoError {
  return new TgoError("INVALID_RESPONSE", `the engine's archive of the image cannot be read: ${why}`, {
    where: path,
  });
}
