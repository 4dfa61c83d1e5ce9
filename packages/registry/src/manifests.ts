import { detailsOf, TgoError } from "@tgo/errors";
import { deleteScope, pushScope, scopeFor, type Access } from "./auth/scope.js";
import { digestLike, digestOf, isDigest } from "./digest.js";
import { parseManifestOrIndex, type Descriptor, type ManifestOrIndex } from "./manifest-schemas.js";
import type { Connection } from "./http/connection.js";
import type { RegistryResponse } from "./http/response.js";
import { ACCEPT_MANIFESTS, MAX_MANIFEST_BYTES, OCI_INDEX, isManifestType } from "./media-types.js";
import { assertRegistry } from "./ping.js";
import { assertNames } from "./reference.js";

export interface FetchedManifest {
  readonly descriptor: Descriptor;
  /** Exactly as the registry sent them; the descriptor's digest is theirs. */
  readonly bytes: Uint8Array;
  readonly value: ManifestOrIndex;
  /** The response's Content-Type, where it names no type of manifest, such as `application/json`. */
  readonly servedAs?: string;
}

/** A manifest that was pushed. */
export interface PutResult extends Descriptor {
  /**
   * The subject under which the registry lists it (header OCI-Subject); undefined when the registry does not support
   * the referrers API.
   */
  readonly subject: string | undefined;
}

/** What is under a tag or a digest, unparsed. */
export interface ManifestBytes {
  readonly bytes: Uint8Array;
  readonly digest: string;
  /** The registry's strong ETag, if it sent one: RFC 9110, section 8.8.3. */
  readonly etag: string | undefined;
}

interface ManifestWrite {
  readonly repository: string;
  readonly reference: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly condition?: Readonly<Record<string, string>>;
}

/** Some registries deny a manifest for a few seconds after they accepted it. */
export const READ_LAG_MS = [1000, 2000, 4000, 8000, 15_000] as const;

/** Waits between reads of a tag that was written: some registries return its old manifest for seconds. */
export const TAG_READ_LAG_MS = [250, 1000, 2000, 4000, 8000] as const;

/** The manifests of one registry: distribution-spec, "Pulling manifests", "Pushing Manifests". */
export class Manifests {
  readonly #connection: Connection;
  /** What this object has pushed, as `repository digest` and `repository tag`. */
  readonly #pushed = new Set<string>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async resolve(repository: string, reference: string, access: Access): Promise<Descriptor | undefined> {
    return this.#waitForLag(repository, reference, access, () => this.#head(repository, reference, access));
  }

  async read(repository: string, reference: string, access: Access): Promise<FetchedManifest> {
    const found = await this.#waitForLag(repository, reference, access, () =>
      this.#get(repository, reference, access),
    );
    if (found !== undefined) return found;
    const where = this.#connection.where(repository, reference);
    const name = isDigest(reference) ? "such digest" : `tag "${reference}"`;
    if (this.#pushed.has(`${repository} ${reference}`)) {
      throw new TgoError("NOT_FOUND", `the registry accepted the push, but there is no ${name}`, {
        where,
        remedy: "Run the same command again: nothing is pushed twice.",
      });
    }
    throw new TgoError("NOT_FOUND", `there is no ${name}`, {
      where,
      remedy: "Publish it first, or check the name: tags are case-sensitive.",
    });
  }

  /** As {@link read}, without waiting for what lags and without parsing. */
  async readBytes(repository: string, reference: string, access: Access): Promise<ManifestBytes | undefined> {
    const response = await this.#getResponse(repository, reference, access);
    if (response === undefined) return undefined;
    const bytes = await response.bytes(MAX_MANIFEST_BYTES);
    const digest = isDigest(reference) ? digestLike(reference, bytes) : digestOf(bytes);
    if (isDigest(reference) && digest !== reference) throw wrongDigest(response, reference, digest);
    const etag = response.headers.get("etag") ?? "";
    return { bytes, digest, etag: etag.startsWith('"') ? etag : undefined };
  }

  async put(repository: string, reference: string, mediaType: string, bytes: Uint8Array): Promise<PutResult> {
    const { response, digest } = await this.#put({ repository, reference, mediaType, bytes });
    const subject = response.headers.get("oci-subject") ?? undefined;
    return { mediaType, digest, size: bytes.length, subject };
  }

  /** Pushes an index if the tag still has what was `read` there (undefined: nothing); where RFC 9110, 13 is known. */
  async replace(
    repository: string,
    tag: string,
    bytes: Uint8Array,
    read: Omit<ManifestBytes, "bytes"> | undefined | "anything",
  ): Promise<boolean> {
    const write = { repository, reference: tag, mediaType: OCI_INDEX, bytes };
    if (read === "anything") {
      await this.#put(write);
      return true;
    }
    const condition =
      read === undefined ? { "if-none-match": "*" } : { "if-match": read.etag ?? `"${read.digest}"` };
    const { response } = await this.#put({ ...write, condition });
    return response.status !== 412;
  }

  async delete(repository: string, digest: string): Promise<void> {
    const call = this.#connection.call({
      method: "DELETE",
      repository,
      path: `manifests/${digest}`,
      reference: digest,
      action: "delete the manifest",
    });
    const response = await this.#connection.send(call, [deleteScope(repository)]);
    if (!response.ok) throw await this.#connection.transport.errorOf(response);
    await response.discard();
    this.#pushed.delete(`${repository} ${digest}`);
  }

  async #head(repository: string, reference: string, access: Access): Promise<Descriptor | undefined> {
    const response = await this.#request("HEAD", repository, reference, access);
    await response.discard();
    if (response.status === 404) {
      assertRegistry(response, this.#connection);
      return undefined;
    }
    const { headers, status } = response;
    const digest = headers.get("docker-content-digest") ?? "";
    const mediaType = contentType(response);
    const size = Number(headers.get("content-length") ?? Number.NaN);
    if (response.ok && isDigest(digest) && isManifestType(mediaType) && Number.isSafeInteger(size)) {
      if (!isDigest(reference) || reference === digest) return { mediaType, digest, size };
      throw wrongDigest(response, reference, digest);
    }
    if (status === 429 || status >= 500) throw await this.#connection.transport.errorOf(response);
    // No digest or type in the headers, or a refusal whose text only GET shows.
    return (await this.#get(repository, reference, access))?.descriptor;
  }

  async #put({
    repository,
    reference,
    mediaType,
    bytes,
    condition,
  }: ManifestWrite): Promise<{ response: RegistryResponse; digest: string }> {
    const call = this.#connection.call({
      method: "PUT",
      repository,
      path: `manifests/${reference}`,
      reference,
      action: "push the manifest",
      headers: { "content-type": mediaType, ...condition },
      body: { size: bytes.length, open: () => bytes },
    });
    const digest = isDigest(reference) ? reference : digestOf(bytes);
    if (digestLike(digest, bytes) !== digest) {
      throw new TgoError("INTERNAL", `the manifest's bytes do not have the digest ${digest}`, {
        where: call.where,
      });
    }
    const response = await this.#connection.send(call, [pushScope(repository)]);
    if (response.status === 412 && condition !== undefined) {
      await response.discard();
      return { response, digest };
    }
    if (response.ok) await this.#checkAccepted(response, digest);
    else await this.#checkRefusal(response, repository, reference, digest);
    this.#pushed.add(`${repository} ${reference}`).add(`${repository} ${digest}`);
    return { response, digest };
  }

  async #getResponse(
    repository: string,
    reference: string,
    access: Access,
  ): Promise<RegistryResponse | undefined> {
    const { transport } = this.#connection;
    const response = await this.#request("GET", repository, reference, access);
    if (response.status === 404) {
      if (/accept header/i.test(await response.text())) throw await transport.errorOf(response);
      assertRegistry(response, this.#connection);
      return undefined;
    }
    if (!response.ok) throw await transport.errorOf(response);
    return response;
  }

  async #get(repository: string, reference: string, access: Access): Promise<FetchedManifest | undefined> {
    const response = await this.#getResponse(repository, reference, access);
    if (response === undefined) return undefined;
    const bytes = await response.bytes(MAX_MANIFEST_BYTES);
    const value = parseManifestOrIndex(bytes, response.call.where);
    const type = contentType(response);
    if (isManifestType(type) && type !== value.mediaType) {
      throw new TgoError(
        "INVALID_RESPONSE",
        `the registry serves it as ${type}, but it says that it is ${value.mediaType}: clients take it for either`,
        { where: response.call.where, remedy: "Push the image again with a current tool." },
      );
    }
    const claimed = response.headers.get("docker-content-digest") ?? "";
    const digest = isDigest(reference) ? digestLike(reference, bytes) : digestOf(bytes);
    if (isDigest(reference) && digest !== reference) throw wrongDigest(response, reference, digest);
    if (isDigest(claimed) && digestLike(claimed, bytes) !== claimed)
      throw wrongDigest(response, claimed, digest);
    const descriptor = { mediaType: value.mediaType, digest, size: bytes.length };
    return { descriptor, bytes, value, ...(type === value.mediaType ? {} : { servedAs: type }) };
  }

  async #request(
    method: "GET" | "HEAD",
    repository: string,
    reference: string,
    access: Access,
  ): Promise<RegistryResponse> {
    const call = this.#connection.call({
      method,
      repository,
      path: `manifests/${reference}`,
      reference,
      action: "read the manifest",
      headers: { accept: ACCEPT_MANIFESTS },
      buffer: MAX_MANIFEST_BYTES,
    });
    return this.#connection.follow(call, [scopeFor(repository, access)]);
  }

  async #checkAccepted(response: RegistryResponse, digest: string): Promise<void> {
    await response.discard();
    const stored = response.headers.get("docker-content-digest");
    if (stored === null || stored === digest) return;
    throw new TgoError(
      "INVALID_RESPONSE",
      `the registry stored the manifest under ${stored}, it was sent as ${digest}`,
      {
        where: response.call.where,
        remedy: "The registry, or a proxy in front of it, rewrites manifests. Push to it directly.",
      },
    );
  }

  /** Docker Hub refuses any push to an immutable tag, even of the manifest it has already: that is not a failure. */
  async #checkRefusal(
    response: RegistryResponse,
    repository: string,
    reference: string,
    digest: string,
  ): Promise<void> {
    const error = await this.#connection.transport.errorOf(response);
    if (error.code !== "DENIED") throw error;
    const present = await this.#head(repository, reference, { push: true }).catch(() => undefined);
    if (present?.digest === digest) return;
    if (present === undefined || error.what.includes("tag exists")) throw error;
    // Not every registry says that its tags are immutable; all there is to see is a refusal for a tag that exists.
    throw new TgoError("DENIED", `${error.what} (the tag exists, as ${present.digest})`, {
      ...detailsOf(error),
      remedy: `${error.remedy ?? ""}\nIf the registry's tags are immutable: publish under a new tag.`.trim(),
    });
  }

  /** Waits for a manifest that was just pushed, by this object or, as the caller says, by another client. */
  async #waitForLag<T>(
    repository: string,
    reference: string,
    { fresh = false }: Access,
    read: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    assertNames(this.#connection.host, repository, reference);
    const expected = fresh || this.#pushed.has(`${repository} ${reference}`);
    for (const lag of expected ? READ_LAG_MS : []) {
      const found = await read();
      if (found !== undefined) return found;
      await this.#connection.transport.sleep(lag);
    }
    return read();
  }
}

/** Without parameters; empty when there is none. */
function contentType({ headers }: RegistryResponse): string {
  return headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
}

function wrongDigest(response: RegistryResponse, expected: string, actual: string): TgoError {
  return new TgoError("INVALID_RESPONSE", `the manifest's bytes have the digest ${actual}, not ${expected}`, {
    where: response.call.where,
    remedy: "The registry, or a proxy in front of it, sent the wrong manifest.",
  });
}
