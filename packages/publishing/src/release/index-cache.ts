import type { FetchedManifest } from "@tgo/registry";
import type { CandidateIdentity } from "@tgo/release-rules";
import { repositoryOf, type Target } from "../targets/target.js";

/** Indexes by digest, each read once from any registry: a digest means the same bytes everywhere. */
export class IndexCache {
  readonly #known = new Map<string, Promise<FetchedManifest>>();

  /** The version and revision in an image's annotations. */
  async identity(target: Target, service: string, digest: string): Promise<CandidateIdentity> {
    const annotations = (await this.read(target, service, digest)).value.annotations ?? {};
    return {
      version: annotations["org.opencontainers.image.version"],
      revision: annotations["org.opencontainers.image.revision"],
    };
  }

  async read(target: Target, service: string, digest: string): Promise<FetchedManifest> {
    const known = this.#known.get(digest);
    if (known !== undefined) return known;
    const reading = target.client.manifest(repositoryOf(target, service), digest, { push: true });
    this.#known.set(digest, reading);
    // A failure is not cached: another registry may have it.
    reading.catch(() => this.#known.delete(digest));
    return reading;
  }
}
