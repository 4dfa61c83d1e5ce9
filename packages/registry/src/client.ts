import type { Access } from "./auth/scope.js";
import { mountBlob, putBlob, type BlobUpload } from "./blob-upload.js";
import { hasBlob, readBlobStream, type Range } from "./blobs.js";
import type { Descriptor } from "./manifest-schemas.js";
import { Connection, type ConnectionOptions } from "./http/connection.js";
import { Manifests, type FetchedManifest, type PutResult } from "./manifests.js";
import { listReferrers, type Referrers } from "./list-referrers.js";
import { ping } from "./ping.js";
import { probePush, type PushProbe } from "./push-probe.js";
import {
  attach,
  attachManifests,
  type Artifact,
  type ArtifactManifest,
  type AttachResult,
  type ReferrersClient,
} from "./referrers.js";
import { listTags } from "./tags.js";

export type RegistryOptions = ConnectionOptions;

/**
 * One registry: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
 *
 * Every method throws TgoError: USAGE for a malformed name (before any request), UNAUTHORIZED, DENIED,
 * NOT_FOUND, UNAVAILABLE (after retries), INVALID_RESPONSE, INTERRUPTED. No error contains a credential.
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
  readonly #referrers: ReferrersClient;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#connection = new Connection(options);
    this.#manifests = new Manifests(this.#connection);
    this.#referrers = { connection: this.#connection, manifests: this.#manifests, lists: new Map() };
    this.host = this.#connection.host;
    this.url = this.#connection.origin.origin;
    this.anonymous = this.#connection.anonymous;
  }

  /** The same registry with these timeouts and retries; it logs in on its own. */
  withRetryOptions(options: Pick<RegistryOptions, "timeoutMs" | "retries" | "totalMs">): Registry {
    return new Registry({ ...this.#options, ...options });
  }

  /** Checks that the registry responds and accepts the credentials. */
  async ping(): Promise<void> {
    await ping(this.#connection);
  }

  /** The descriptor of a tag or digest, or undefined when there is none. Does not count as a pull on Docker Hub. */
  async resolve(repository: string, reference: string, access: Access = {}): Promise<Descriptor | undefined> {
    return this.#manifests.resolve(repository, reference, access);
  }

  /**
   * Fetches an index or manifest. Its digest is computed from the bytes, and compared with the registry's header and
   * with the requested digest.
   * @throws TgoError NOT_FOUND when there is none
   */
  async manifest(repository: string, reference: string, access: Access = {}): Promise<FetchedManifest> {
    return this.#manifests.read(repository, reference, access);
  }

  /** Pushes these bytes as they are. Succeeds when the registry refuses because the tag has this very digest already. */
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
   * The blob's size in bytes, or undefined when the repository does not have it.
   * @param known `size`: returned when the registry says that the blob exists, but not how long it is
   */
  async hasBlob(
    repository: string,
    digest: string,
    known: Access & { readonly size?: number } = {},
  ): Promise<number | undefined> {
    return hasBlob(this.#connection, repository, digest, known);
  }

  /**
   * A blob's bytes, or a range of them, as a stream that keeps one chunk in memory and resumes where a connection
   * breaks. Never longer than the descriptor says; a whole blob is verified against its digest at the end.
   */
  async blob(
    repository: string,
    blob: Pick<Descriptor, "digest" | "size">,
    range?: Range,
  ): Promise<ReadableStream<Uint8Array>> {
    return readBlobStream(this.#connection, repository, blob, range);
  }

  /**
   * Uploads a blob unless the repository has it: HEAD, mount if possible, else POST and one PUT (the only way that all
   * registries accept for any size). A broken upload starts over in a new session.
   */
  async putBlob(repository: string, upload: BlobUpload): Promise<"uploaded" | "mounted" | "exists"> {
    return putBlob(this.#connection, repository, upload);
  }

  /** Mounts a blob from another repository of this registry. False when it has to be uploaded. */
  async mountBlob(repository: string, digest: string, from: string): Promise<boolean> {
    return (await mountBlob(this.#connection, repository, digest, from)) === "mounted";
  }

  /** Checks that a push would be accepted, without pushing anything. @throws TgoError saying why not */
  async probePush(repository: string): Promise<PushProbe> {
    return probePush(this.#connection, repository);
  }

  /** Attaches documents to an image, and checks that clients find them: see {@link attach}. */
  async attach(
    repository: string,
    subject: Descriptor,
    artifacts: readonly Artifact[],
    anonymous?: Registry,
  ): Promise<AttachResult[]> {
    const stranger = anonymous === undefined ? undefined : anonymous.#referrers;
    return attach(this.#referrers, repository, { subject, artifacts }, stranger);
  }

  /** Attaches artifacts that exist already, byte for byte: see {@link attachManifests}. @param subject its digest */
  async attachManifests(
    repository: string,
    subject: string,
    artifacts: readonly ArtifactManifest[],
  ): Promise<AttachResult[]> {
    return attachManifests(this.#referrers, repository, { subject, artifacts });
  }

  /** What refers to an image: signatures, SBOMs, other artifacts. None when nothing does: see {@link listReferrers}. */
  async referrers(repository: string, digest: string): Promise<Referrers> {
    return listReferrers(this.#connection, this.#manifests, repository, digest);
  }

  /** All tags; none for a repository that does not exist. */
  async tags(repository: string): Promise<string[]> {
    return listTags(this.#connection, repository);
  }
}
