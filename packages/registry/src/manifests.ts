import { TgoError } from "@tgo/errors";
import type { RegistryResponse } from "./http/response.js";
import type { Connection } from "./http/connection.js";
import { ACCEPT_MANIFESTS, MAX_MANIFEST_BYTES } from "./media-types.js";
import { digestLike, digestOf, isDigest } from "./digest.js";
import { assertNames } from "./reference.js";
import { parseDocument, type Descriptor, type Document } from "./documents.js";
import { deleteScope, pushScope, scopeFor, type Access } from "./auth/scope.js";
import { assertRegistry } from "./ping.js";

export interface FetchedManifest {
  readonly descriptor: Descriptor;
  /** Exactly as the registry sent them; their digest is the descriptor's. */
  readonly bytes: Uint8Array;
  readonly value: Document;
}

/** What was put. */
export interface PutResult extends Descriptor {
  /** The subject that the registry lists it under; absent when it keeps no such list. Header OCI-Subject. */
  readonly subject: string | undefined;
}

/** Registries were seen to deny a manifest for some seconds after they had taken it. */
const READ_LAG_MS = [1000, 2000, 4000, 8000, 15_000] as const;

/** The manifests of one registry: distribution-spec, "Pulling manifests", "Pushing Manifests". */
export class Manifests {
  readonly #connection: Connection;
  /** What this object has put, as `repository digest` and `repository tag`. */
  readonly #written = new Set<string>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async resolve(repository: string, reference: string, access: Access): Promise<Descriptor | undefined> {
    return this.#patiently(repository, reference, access, () => this.#head(repository, reference, access));
  }

  async read(repository: string, reference: string, access: Access): Promise<FetchedManifest> {
    const found = await this.#patiently(repository, reference, access, () =>
      this.#get(repository, reference, access),
    );
    if (found !== undefined) return found;
    const where = this.#connection.where(repository, reference);
    const name = isDigest(reference) ? "such digest" : `tag "${reference}"`;
    if (this.#written.has(`${repository} ${reference}`)) {
      throw new TgoError("NOT_FOUND", `the registry took what was pushed, and there is no ${name}`, {
        where,
        remedy: "Run the same command again: what is there is not pushed twice.",
      });
    }
    throw new TgoError("NOT_FOUND", `there is no ${name}`, {
      where,
      remedy: "Publish it first, or check the name: tags are case-sensitive.",
    });
  }

  async put(repository: string, reference: string, mediaType: string, bytes: Uint8Array): Promise<PutResult> {
    const call = this.#connection.call({
      method: "PUT",
      repository,
      path: `manifests/${reference}`,
      reference,
      doing: "push the manifest",
      headers: { "content-type": mediaType },
      body: { size: bytes.length, open: () => bytes },
    });
    const digest = isDigest(reference) ? reference : digestOf(bytes);
    if (digestLike(digest, bytes) !== digest) {
      throw new TgoError("INTERNAL", `the manifest's bytes do not have the digest ${digest}`, {
        where: call.where,
      });
    }
    const answer = await this.#connection.send(call, [pushScope(repository)]);
    if (answer.ok) await this.#taken(answer, digest);
    else await this.#refused(answer, repository, reference, digest);
    this.#written.add(`${repository} ${reference}`).add(`${repository} ${digest}`);
    const subject = answer.headers.get("oci-subject") ?? undefined;
    return { mediaType, digest, size: bytes.length, subject };
  }

  async delete(repository: string, digest: string): Promise<void> {
    const call = this.#connection.call({
      method: "DELETE",
      repository,
      path: `manifests/${digest}`,
      reference: digest,
      doing: "delete the manifest",
    });
    const answer = await this.#connection.send(call, [deleteScope(repository)]);
    if (!answer.ok) throw await this.#connection.transport.refusal(answer);
    await answer.discard();
    this.#written.delete(`${repository} ${digest}`);
  }

  async #head(repository: string, reference: string, access: Access): Promise<Descriptor | undefined> {
    const answer = await this.#ask("HEAD", repository, reference, access);
    await answer.discard();
    if (answer.status === 404) {
      assertRegistry(answer, this.#connection);
      return undefined;
    }
    const digest = answer.headers.get("docker-content-digest") ?? "";
    const mediaType = answer.headers.get("content-type")?.split(";")[0]?.trim() ?? "";
    const size = Number(answer.headers.get("content-length") ?? Number.NaN);
    if (answer.ok && isDigest(digest) && mediaType !== "" && Number.isSafeInteger(size)) {
      if (!isDigest(reference) || reference === digest) return { mediaType, digest, size };
      throw otherDigest(answer, reference, digest);
    }
    if (answer.status === 429 || answer.status >= 500) throw await this.#connection.transport.refusal(answer);
    // No digest in the headers, or a refusal whose text only GET shows.
    return (await this.#get(repository, reference, access))?.descriptor;
  }

  async #get(repository: string, reference: string, access: Access): Promise<FetchedManifest | undefined> {
    const answer = await this.#ask("GET", repository, reference, access);
    if (answer.status === 404) {
      if (/accept header/i.test(await answer.text())) throw await this.#connection.transport.refusal(answer);
      assertRegistry(answer, this.#connection);
      return undefined;
    }
    if (!answer.ok) throw await this.#connection.transport.refusal(answer);
    const bytes = await answer.bytes(MAX_MANIFEST_BYTES);
    const value = parseDocument(bytes, answer.call.where);
    const told = answer.headers.get("docker-content-digest") ?? "";
    const digest = isDigest(reference) ? digestLike(reference, bytes) : digestOf(bytes);
    if (isDigest(reference) && digest !== reference) throw otherDigest(answer, reference, digest);
    if (isDigest(told) && digestLike(told, bytes) !== told) throw otherDigest(answer, told, digest);
    return { descriptor: { mediaType: value.mediaType, digest, size: bytes.length }, bytes, value };
  }

  async #ask(
    method: "GET" | "HEAD",
    repository: string,
    reference: string,
    access: Access,
  ): Promise<RegistryResponse> {
    const doing = "read the manifest";
    const headers = { accept: ACCEPT_MANIFESTS };
    const call = this.#connection.call({
      method,
      repository,
      path: `manifests/${reference}`,
      reference,
      doing,
      headers,
      whole: MAX_MANIFEST_BYTES,
    });
    return this.#connection.follow(call, [scopeFor(repository, access)]);
  }

  async #taken(answer: RegistryResponse, digest: string): Promise<void> {
    await answer.discard();
    const told = answer.headers.get("docker-content-digest");
    if (told === null || told === digest) return;
    throw new TgoError(
      "INVALID_RESPONSE",
      `the registry stored the manifest under ${told}, it was sent as ${digest}`,
      {
        where: answer.call.where,
        remedy: "The registry, or a proxy before it, rewrites manifests. Push to it directly.",
      },
    );
  }

  /** Docker Hub refuses any push to an immutable tag, even of what it holds already: that is no failure. */
  async #refused(
    answer: RegistryResponse,
    repository: string,
    reference: string,
    digest: string,
  ): Promise<void> {
    const error = await this.#connection.transport.refusal(answer);
    if (error.code !== "DENIED") throw error;
    const present = await this.#head(repository, reference, { push: true }).catch(() => undefined);
    if (present?.digest === digest) return;
    if (present === undefined || error.what.includes("tag exists")) throw error;
    // Docker Hub's own words for an immutable tag are not known: what is seen is a 403 for a tag that exists.
    throw new TgoError("DENIED", `${error.what} (the tag exists, as ${present.digest})`, {
      where: error.where,
      remedy: `${error.remedy ?? ""}\nIf the registry's tags are immutable: publish under a new tag.`.trim(),
    });
  }

  /** What has just been put, by this object or by what the caller knows, is waited for; else absent is absent. */
  async #patiently<T>(
    repository: string,
    reference: string,
    { fresh = false }: Access,
    read: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    assertNames(this.#connection.host, repository, reference);
    const expected = fresh || this.#written.has(`${repository} ${reference}`);
    for (const lag of expected ? READ_LAG_MS : []) {
      const found = await read();
      if (found !== undefined) return found;
      await this.#connection.transport.sleep(lag);
    }
    return read();
  }
}

function otherDigest(answer: RegistryResponse, expected: string, actual: string): TgoError {
  return new TgoError("INVALID_RESPONSE", `the manifest's bytes have the digest ${actual}, not ${expected}`, {
    where: answer.call.where,
    remedy: "The registry, or a proxy before it, sent another manifest than was asked for.",
  });
}
