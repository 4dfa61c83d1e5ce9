import type { FetchedManifest } from "@tgo/registry";
import type { CandidateIdentity } from "@tgo/release-rules";
import { repositoryOf, type Target } from "../targets/target.js";

/** Of an index that is kept although only its annotations were asked for: thousands of tags may be read. */
const MAX_KEPT_BYTES = 8 * 1024;
/** Of an annotation that names a version or a revision, in UTF-16 units. */
const MAX_NAME = 256;

/** Indexes by digest, each read once from any registry: a digest means the same bytes everywhere. */
export class IndexCache {
  readonly #indexes = new Map<string, Promise<FetchedManifest>>();
  readonly #identities = new Map<string, Promise<CandidateIdentity>>();

  /** The version and revision in an image's annotations. */
  async identity(target: Target, service: string, digest: string): Promise<CandidateIdentity> {
    return once(this.#identities, digest, async () => {
      const index = await this.read(target, service, digest);
      if (index.bytes.length > MAX_KEPT_BYTES) this.#indexes.delete(digest);
      const { annotations = {} } = index.value;
      return {
        version: nameOf(annotations["org.opencontainers.image.version"]),
        revision: nameOf(annotations["org.opencontainers.image.revision"]),
      };
    });
  }

  async read(target: Target, service: string, digest: string): Promise<FetchedManifest> {
    return once(this.#indexes, digest, () =>
      target.client.manifest(repositoryOf(target, service), digest, { push: true }),
    );
  }
}

/** A failure is not cached: another registry may have it. */
function once<T>(memory: Map<string, Promise<T>>, key: string, read: () => Promise<T>): Promise<T> {
  const known = memory.get(key);
  if (known !== undefined) return known;
  const reading = read();
  memory.set(key, reading);
  reading.catch(() => memory.delete(key));
  return reading;
}

function nameOf(annotation: string | undefined): string | undefined {
  return annotation !== undefined && annotation.length <= MAX_NAME ? annotation : undefined;
}
