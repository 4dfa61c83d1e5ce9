import { hasBlob, readBlobStream, type Range } from "./blobs.js";
import { mountBlob, putBlob, type BlobUpload } from "./blob-upload.js";
import { Connection, type ConnectionOptions } from "./http/connection.js";
import { Manifests, type FetchedManifest, type PutResult } from "./manifests.js";
import { probePush, type PushProbe } from "./push-probe.js";
import type { Descriptor } from "./documents.js";
import type { Access } from "./auth/scope.js";
import { listTags } from "./tags.js";
import { ping } from "./ping.js";

export type RegistryOptions = ConnectionOptions;

/**
 * One registry: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
 *
 * Every method throws TgoError: USAGE for a malformed name (before any request), UNAUTHORIZED, DENIED,
 * NOT_FOUND, UNAVAILABLE (after repeats), INVALID_RESPONSE, INTERRUPTED. No error holds a credential.
 */
export class Registry {
  /** As references name it. */
  readonly host: string;
  /** Where it is reached: an origin. */
  readonly url: string;
  readonly anonymous: boolean;
  readonly #options: RegistryOptions;
  readonly #connection: Connection;
  readonly #manifests: Manifests;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#connection = new Connection(options);
    this.#manifests = new Manifests(this.#connection);
    this.host = this.#connection.host;
    this.url = this.#connection.origin.origin;
    this.anonymous = this.#connection.anonymous;
  }

  /** The same registry, asked with another patience, as far as it is given; logins are its own. */
  withPatience(patience: Pick<RegistryOptions, "timeoutMs" | "retries" | "totalMs">): Registry {
    return new Registry({ ...this.#options, ...patience });
  }

  /** The registry answers and accepts the credentials. */
  async ping(): Promise<void> {
    await ping(this.#connection);
  }

  /** What a tag or digest stands for, or undefined when it is not there. Costs no pull on Docker Hub. */
  async resolve(repository: string, reference: string, access: Access = {}): Promise<Descriptor | undefined> {
    return this.#manifests.resolve(repository, reference, access);
  }

  /**
   * An index or manifest. Its digest is computed from the bytes, and compared with the registry's header and,
   * when it was asked for by digest, with that.
   * @throws TgoError NOT_FOUND when there is none.
   */
  async manifest(repository: string, reference: string, access: Access = {}): Promise<FetchedManifest> {
    return this.#manifests.read(repository, reference, access);
  }

  /** Puts these bytes as they are. A refusal of a tag that has this very digest already is success. */
  async putManifest(
    repository: string,
    tagOrDigest: string,
    mediaType: string,
    bytes: Uint8Array,
  ): Promise<PutResult> {
    return this.#manifests.put(repository, tagOrDigest, mediaType, bytes);
  }

  async deleteManifest(repository: string, digest: string): Promise<void> {
    await this.#manifests.delete(repository, digest);
  }

  /**
   * The blob's size in bytes, or undefined when the repository does not hold it.
   * @param known `size`: returned when the registry says that the blob exists but not how long it is.
   */
  async hasBlob(
    repository: string,
    digest: string,
    known: Access & { readonly size?: number } = {},
  ): Promise<number | undefined> {
    return hasBlob(this.#connection, repository, digest, known);
  }

  /**
   * A blob's bytes, or a range of them, as a stream that holds one chunk at a time and resumes where a
   * connection breaks. Read whole, they are checked against the digest when they end.
   */
  async blob(repository: string, digest: string, range?: Range): Promise<ReadableStream<Uint8Array>> {
    return readBlobStream(this.#connection, repository, digest, range);
  }

  /**
   * Uploads a blob unless the repository holds it: HEAD, mount where it can be, else POST and one PUT (the one
   * way that all registries take for any size). A broken upload starts again with a new session.
   */
  async putBlob(repository: string, upload: BlobUpload): Promise<"uploaded" | "mounted" | "exists"> {
    return putBlob(this.#connection, repository, upload);
  }

  /** Lets the repository share a blob of another one in this registry. False when it has to be uploaded. */
  async mountBlob(repository: string, digest: string, from: string): Promise<boolean> {
    return (await mountBlob(this.#connection, repository, digest, from)) === "mounted";
  }

  /** Whether a push would be let in, without pushing anything. @throws TgoError saying why not */
  async probePush(repository: string): Promise<PushProbe> {
    return probePush(this.#connection, repository);
  }

  /** Every tag; none for a repository that is not there. */
  async tags(repository: string): Promise<string[]> {
    return listTags(this.#connection, repository);
  }
}
