import { isTgoError, TgoError } from "@tgo/errors";
import * as z from "zod";
import { patienceWith } from "./answers.js";
import { blobStream } from "./blob.js";
import { Connection, isRedirect, type ConnectionOptions } from "./connection.js";
import { ACCEPT_MANIFESTS, MAX_MANIFEST_BYTES } from "./constants.js";
import { digestLike, digestOf, isDigest } from "./digest.js";
import { parseJson } from "./json.js";
import { assertNames } from "./reference.js";
import { firstBytes, parseDocument, type Descriptor, type Document } from "./schema.js";
import type { Scope } from "./token.js";
import type { Answer, Body, Call } from "./transport.js";

export type RegistryOptions = ConnectionOptions;

/** A byte range, both ends included. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface Access {
  /**
   * Ask with the right to push. A registry that creates repositories on the first push answers 401 to who may
   * only read one that is not there yet.
   */
  readonly push?: boolean | undefined;
}

export interface ManifestAnswer {
  readonly descriptor: Descriptor;
  /** Exactly as the registry sent them; their digest is the descriptor's. */
  readonly bytes: Uint8Array;
  readonly value: Document;
}

export interface BlobUpload extends Body {
  readonly digest: string;
  /** Repositories of the same registry that hold the blob: mounted from, in order, before anything is sent. */
  readonly mountFrom?: readonly string[] | undefined;
}

const RESUMES = 5;
const UPLOADS = 5;
/** Registries were seen to deny a manifest for some seconds after they had taken it. */
const READ_LAG_MS = [1000, 2000, 4000, 8000, 15_000] as const;
const PAGE = "1000";

/**
 * One registry: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
 *
 * Every method throws TgoError: USAGE for a malformed name (before any request), UNAUTHORIZED, DENIED,
 * NOT_FOUND, UNAVAILABLE (after repeats), INVALID_RESPONSE, INTERRUPTED. No error holds a credential.
 */
export class Registry {
  /** As references name it. */
  readonly host: string;
  /** Where it is reached. */
  readonly url: string;
  readonly anonymous: boolean;
  readonly #connection: Connection;
  /** What this object has put, as `repository@digest` and `repository:tag`. */
  readonly #written = new Set<string>();

  constructor(options: RegistryOptions) {
    this.#connection = new Connection(options);
    this.host = this.#connection.host;
    this.url = this.#connection.origin.origin;
    this.anonymous = this.#connection.anonymous;
  }

  /** The registry answers and accepts the credentials. */
  async ping(): Promise<void> {
    const call = {
      method: "GET",
      url: this.#connection.path(""),
      where: this.host,
      doing: "answer as a registry",
    } satisfies Call;
    const answer = await this.#connection.follow(call, []);
    const text = await answer.text();
    if (answer.status === 404 || (answer.ok && !isRegistry(answer, text))) {
      throw new TgoError(
        "INVALID_RESPONSE",
        `${this.url} is no container registry: it answers ${answer.status} and ${firstBytes(text)}`,
        {
          where: this.host,
          remedy:
            "Check the host and the port; a web server, proxy or login page may be answering in its place.",
        },
      );
    }
    if (!answer.ok) throw await this.#connection.transport.refusal(answer);
  }

  /** What a tag or digest stands for, or undefined when it is not there. Costs no pull on Docker Hub. */
  async resolve(repository: string, reference: string, access: Access = {}): Promise<Descriptor | undefined> {
    return this.#patiently(repository, reference, () => this.#head(repository, reference, access));
  }

  /**
   * An index or manifest. Its digest is computed from the bytes, and compared with the registry's header and,
   * when it was asked for by digest, with that.
   * @throws TgoError NOT_FOUND when there is none.
   */
  async manifest(repository: string, reference: string, access: Access = {}): Promise<ManifestAnswer> {
    const found = await this.#patiently(repository, reference, () =>
      this.#get(repository, reference, access),
    );
    if (found !== undefined) return found;
    throw new TgoError(
      "NOT_FOUND",
      isDigest(reference) ? "there is no such digest" : `there is no tag "${reference}"`,
      {
        where: this.#where(repository, reference),
      },
    );
  }

  /** Puts these bytes as they are. A refusal of a tag that has this very digest already is success. */
  async putManifest(
    repository: string,
    tagOrDigest: string,
    mediaType: string,
    bytes: Uint8Array,
  ): Promise<Descriptor> {
    assertNames(this.host, repository, tagOrDigest);
    const digest = isDigest(tagOrDigest) ? tagOrDigest : digestOf(bytes);
    if (digestLike(digest, bytes) !== digest) {
      throw new TgoError("INTERNAL", `the manifest's bytes do not have the digest ${digest}`, {
        where: this.#where(repository, tagOrDigest),
      });
    }
    const descriptor = { mediaType, digest, size: bytes.length };
    const answer = await this.#connection.send(
      this.#call(
        "PUT",
        `${repository}/manifests/${tagOrDigest}`,
        "push the manifest",
        repository,
        tagOrDigest,
        {
          headers: { "content-type": mediaType },
          body: { size: bytes.length, open: () => bytes },
        },
      ),
      [pushScope(repository)],
    );
    if (!answer.ok) {
      const error = await this.#connection.transport.refusal(answer);
      // Docker Hub refuses any push to an immutable tag, even of what it holds already.
      const present =
        error.code === "DENIED"
          ? await this.resolve(repository, tagOrDigest, { push: true }).catch(() => undefined)
          : undefined;
      if (present?.digest !== digest) throw error;
      return descriptor;
    }
    await answer.discard();
    const told = answer.headers.get("docker-content-digest");
    if (told !== null && told !== digest) {
      throw new TgoError(
        "INVALID_RESPONSE",
        `the registry stored the manifest under ${told}, it was sent as ${digest}`,
        {
          where: this.#where(repository, tagOrDigest),
          remedy: "The registry, or a proxy before it, rewrites manifests. Push to it directly.",
        },
      );
    }
    this.#written.add(`${repository} ${tagOrDigest}`).add(`${repository} ${digest}`);
    return descriptor;
  }

  /**
   * The blob's size in bytes, or undefined when the repository does not hold it.
   * @param size what it is known to be: returned when the registry says that the blob exists but not how long it is.
   */
  async hasBlob(
    repository: string,
    digest: string,
    { size, ...access }: Access & { size?: number } = {},
  ): Promise<number | undefined> {
    const call = this.#call("HEAD", `${repository}/blobs/${digest}`, "look for a blob", repository, digest);
    const answer = await this.#connection.send(call, [scopeFor(repository, access)]);
    await answer.discard();
    if (answer.status === 404) {
      this.#assertRegistry(answer);
      return undefined;
    }
    // A redirect is to a store whose signed URL may allow GET only; that it was given says the blob exists.
    if (isRedirect(answer)) return size ?? this.#sizeByRange(repository, digest);
    if (!answer.ok) throw await this.#connection.transport.refusal(answer);
    const length = Number(answer.headers.get("content-length") ?? Number.NaN);
    return Number.isSafeInteger(length) ? length : (size ?? this.#sizeByRange(repository, digest));
  }

  /**
   * A blob's bytes, or a range of them, as a stream that holds one chunk at a time. Read whole, they are
   * checked against the digest when they end.
   */
  async blob(repository: string, digest: string, range?: Range): Promise<ReadableStream<Uint8Array>> {
    const first = await this.#openBlob(repository, digest, range, 0);
    let opened: typeof first | undefined = first;
    return blobStream({
      open: async (offset) => {
        const given = offset === 0 ? opened : undefined;
        opened = undefined;
        return given ?? this.#openBlob(repository, digest, range, offset);
      },
      digest: range === undefined ? digest : undefined,
      where: this.#where(repository, digest),
      resumes: RESUMES,
      pause: (attempt) =>
        this.#connection.transport.wait(
          attempt,
          { tries: RESUMES, reason: "the connection broke" },
          "read the blob",
        ),
    });
  }

  /**
   * Uploads a blob unless the repository holds it: HEAD, mount where it can be, else POST and one PUT (the one
   * way that all registries take for any size). A broken upload starts again with a new session.
   */
  async putBlob(repository: string, upload: BlobUpload): Promise<"uploaded" | "mounted" | "exists"> {
    const { digest, size } = upload;
    if ((await this.hasBlob(repository, digest, { size, push: true })) !== undefined) return "exists";
    let session: URL | undefined;
    for (const from of upload.mountFrom ?? []) {
      const mount = await this.#mount(repository, digest, from);
      if (mount === "mounted") return "mounted";
      session ??= mount;
    }
    for (let attempt = 1; ; attempt++) {
      const setback = await this.#upload(
        repository,
        upload,
        session ?? (await this.#startUpload(repository, digest)),
      );
      if (setback === undefined) return "uploaded";
      session = undefined;
      if (setback.patience === undefined || attempt >= Math.min(UPLOADS, setback.patience.tries))
        throw setback.error;
      await this.#connection.transport.wait(attempt, setback.patience, "upload the blob");
      // The answer may have been lost, not the blob: GHCR's repeated commit finds no session, but the blob there.
      if ((await this.hasBlob(repository, digest, { size, push: true })) !== undefined) return "uploaded";
    }
  }

  /** Lets the repository share a blob of another one in this registry. False when it has to be uploaded. */
  async mountBlob(repository: string, digest: string, from: string): Promise<boolean> {
    return (await this.#mount(repository, digest, from)) === "mounted";
  }

  /** Every tag; none for a repository that is not there. */
  async tags(repository: string): Promise<string[]> {
    const tags = new Set<string>();
    const seen = new Set<string>();
    const first = this.#call("GET", `${repository}/tags/list`, "list the tags", repository);
    let url: URL | undefined = this.#connection.path(`${repository}/tags/list`, { n: PAGE });
    while (url !== undefined && !seen.has(url.href)) {
      seen.add(url.href);
      const answer: Answer = await this.#connection.follow({ ...first, url }, [pullScope(repository)]);
      if (answer.status === 404 && /NAME_UNKNOWN|NOT_FOUND/.test(await answer.text())) return [];
      if (
        answer.status === 400 &&
        /PAGINATION_NUMBER_INVALID/.test(await answer.text()) &&
        url.searchParams.has("n")
      ) {
        url = first.url;
        continue;
      }
      if (!answer.ok) throw await this.#connection.transport.refusal(answer);
      const bytes = await answer.bytes(64 * 1024 * 1024);
      for (const tag of tagsOf(bytes, first.where)) tags.add(tag);
      url = this.#next(answer, first.where);
    }
    return [...tags];
  }

  async deleteManifest(repository: string, digest: string): Promise<void> {
    const call = this.#call(
      "DELETE",
      `${repository}/manifests/${digest}`,
      "delete the manifest",
      repository,
      digest,
    );
    const answer = await this.#connection.send(call, [`repository:${repository}:delete,pull`]);
    if (!answer.ok) throw await this.#connection.transport.refusal(answer);
    await answer.discard();
    this.#written.delete(`${repository} ${digest}`);
  }

  async #head(repository: string, reference: string, access: Access): Promise<Descriptor | undefined> {
    const call = this.#call(
      "HEAD",
      `${repository}/manifests/${reference}`,
      "look for the manifest",
      repository,
      reference,
      {
        headers: { accept: ACCEPT_MANIFESTS },
      },
    );
    const answer = await this.#connection.follow(call, [scopeFor(repository, access)]);
    await answer.discard();
    if (answer.status === 404) {
      this.#assertRegistry(answer);
      return undefined;
    }
    const digest = answer.headers.get("docker-content-digest") ?? "";
    const mediaType = answer.headers.get("content-type")?.split(";")[0]?.trim() ?? "";
    const size = Number(answer.headers.get("content-length") ?? Number.NaN);
    if (answer.ok && isDigest(digest) && mediaType !== "" && Number.isSafeInteger(size)) {
      if (!isDigest(reference) || reference === digest) return { mediaType, digest, size };
      throw this.#otherDigest(repository, reference, digest);
    }
    // No digest in the headers, or a refusal whose text only GET shows.
    return (await this.#get(repository, reference, access))?.descriptor;
  }

  async #get(repository: string, reference: string, access: Access): Promise<ManifestAnswer | undefined> {
    const call = this.#call(
      "GET",
      `${repository}/manifests/${reference}`,
      "read the manifest",
      repository,
      reference,
      {
        headers: { accept: ACCEPT_MANIFESTS },
      },
    );
    const answer = await this.#connection.follow(call, [scopeFor(repository, access)]);
    if (answer.status === 404) {
      const text = await answer.text();
      if (/accept header/i.test(text)) throw await this.#connection.transport.refusal(answer);
      this.#assertRegistry(answer);
      return undefined;
    }
    if (!answer.ok) throw await this.#connection.transport.refusal(answer);
    const bytes = await answer.bytes(MAX_MANIFEST_BYTES);
    const value = parseDocument(bytes, call.where);
    const told = answer.headers.get("docker-content-digest") ?? "";
    const digest = isDigest(reference) ? digestLike(reference, bytes) : digestOf(bytes);
    if (isDigest(reference) && digest !== reference) throw this.#otherDigest(repository, reference, digest);
    if (isDigest(told) && digestLike(told, bytes) !== told) throw this.#otherDigest(repository, told, digest);
    return { descriptor: { mediaType: value.mediaType, digest, size: bytes.length }, bytes, value };
  }

  /** A web server's 404 does not say that a registry lacks something. */
  #assertRegistry(answer: Answer): void {
    if (answer.headers.get("content-type")?.includes("html") !== true) return;
    throw new TgoError(
      "INVALID_RESPONSE",
      `${this.url} is no container registry, or its front end is down: it answers 404 with an HTML page`,
      {
        where: answer.call.where,
        remedy:
          "Check the host and the port; a web server, proxy or login page may be answering in its place.",
      },
    );
  }

  /** What this object itself has just put is waited for; anything else is absent at once. */
  async #patiently<T>(
    repository: string,
    reference: string,
    read: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    assertNames(this.host, repository, reference);
    const ours = this.#written.has(`${repository} ${reference}`);
    for (const lag of ours ? READ_LAG_MS : []) {
      const found = await read();
      if (found !== undefined) return found;
      await this.#connection.transport.sleep(lag);
    }
    return read();
  }

  async #sizeByRange(repository: string, digest: string): Promise<number | undefined> {
    const { chunks, total } = await this.#openBlob(repository, digest, { start: 0, end: 0 }, 0);
    let length = 0;
    for await (const chunk of chunks) length += chunk.length;
    return total ?? length;
  }

  async #openBlob(
    repository: string,
    digest: string,
    range: Range | undefined,
    offset: number,
  ): Promise<OpenBlob> {
    const start = (range?.start ?? 0) + offset;
    const ranged = range !== undefined || offset > 0;
    const headers: Record<string, string> = ranged ? { range: `bytes=${start}-${range?.end ?? ""}` } : {};
    const call = this.#call("GET", `${repository}/blobs/${digest}`, "read the blob", repository, digest, {
      headers,
    });
    const scopes = [pullScope(repository)];
    const options = { plainStore: range === undefined };
    let answer = await this.#connection.follow(call, scopes, options);
    if (answer.status === 403 && answer.call.url.origin !== this.#connection.origin.origin) {
      // The store's signed URL is over: the registry gives a new one.
      await answer.discard();
      answer = await this.#connection.follow(call, scopes, options);
    }
    if (!answer.ok) throw await this.#connection.transport.refusal(answer);
    if (!ranged) return { chunks: answer.chunks(), offset: 0, total: undefined };
    if (answer.status !== 206) {
      // Ranges are ignored: for a resume the beginning is read past, a wanted part would be the wrong one.
      if (range === undefined) return { chunks: answer.chunks(), offset: 0, total: undefined };
      await answer.discard();
      throw new TgoError("INVALID_RESPONSE", "the registry ignores byte ranges", { where: call.where });
    }
    const [, from, total] =
      /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(answer.headers.get("content-range") ?? "") ?? [];
    if (from === undefined || Number(from) !== start) {
      await answer.discard();
      throw new TgoError(
        "INVALID_RESPONSE",
        `the registry sent another range than bytes ${start}-${range?.end ?? ""}`,
        { where: call.where },
      );
    }
    return { chunks: answer.chunks(), offset, total: total === "*" ? undefined : Number(total) };
  }

  async #startUpload(repository: string, digest: string): Promise<URL> {
    const call = this.#call("POST", `${repository}/blobs/uploads/`, "start an upload", repository, digest, {
      body: NOTHING,
    });
    const answer = await this.#connection.send(call, [pushScope(repository)]);
    if (answer.status !== 202) throw await this.#connection.transport.refusal(answer);
    await answer.discard();
    return this.#connection.location(answer, call.where);
  }

  /** "mounted", a session to upload to instead, or undefined. */
  async #mount(repository: string, digest: string, from: string): Promise<"mounted" | URL | undefined> {
    assertNames(this.host, from);
    const call = this.#call("POST", `${repository}/blobs/uploads/`, "mount a blob", repository, digest, {
      body: NOTHING,
    });
    const url = this.#connection.path(`${repository}/blobs/uploads/`, { mount: digest, from });
    try {
      // Docker Hub wants both scopes in one token, even for a public source.
      const answer = await this.#connection.send({ ...call, url }, [pushScope(repository), pullScope(from)]);
      await answer.discard();
      if (answer.status === 201) return "mounted";
      return answer.status === 202 ? this.#connection.location(answer, call.where) : undefined;
    } catch (error) {
      // Whatever stands against a mount, an upload may still do.
      if (isTgoError(error) && error.code !== "INTERRUPTED") return undefined;
      throw error;
    }
  }

  async #upload(
    repository: string,
    { digest, size, open }: BlobUpload,
    session: URL,
  ): Promise<Setback | undefined> {
    const url = new URL(session);
    url.searchParams.set("digest", digest);
    const call = this.#call("PUT", `${repository}/blobs/uploads/`, "upload the blob", repository, digest, {
      headers: { "content-type": "application/octet-stream" },
      body: { size, open },
      once: true,
    });
    if (url.protocol === "http:" && this.#connection.origin.protocol === "https:") {
      throw new TgoError(
        "INVALID_RESPONSE",
        `the registry wants the upload at ${url.origin}, which is not encrypted`,
        { where: call.where },
      );
    }
    try {
      const answer = await this.#connection.send({ ...call, url }, [pushScope(repository)]);
      if (answer.ok) {
        await answer.discard();
        return undefined;
      }
      const fault = await this.#connection.transport.fault(answer);
      const lost = fault.status === 404 ? { tries: 3, reason: "the upload session was lost" } : undefined;
      return {
        error: await this.#connection.transport.refusal(answer),
        patience: lost ?? patienceWith(fault),
      };
    } catch (error) {
      if (!isTgoError(error) || error.code !== "UNAVAILABLE") throw error;
      return { error, patience: { tries: UPLOADS, reason: error.what } };
    }
  }

  /** distribution-spec, "Listing Tags": the next page by the `Link` header (RFC 8288). */
  #next(answer: Answer, where: string): URL | undefined {
    const [, target] = /<([^>]*)>\s*;[^,]*\brel="?next"?/i.exec(answer.headers.get("link") ?? "") ?? [];
    if (target === undefined || !URL.canParse(target, answer.call.url.href)) return undefined;
    const url = this.#connection.reach(new URL(target, answer.call.url));
    if (url.origin === this.#connection.origin.origin) return url;
    throw new TgoError("INVALID_RESPONSE", `the list of tags continues on another host (${url.origin})`, {
      where,
    });
  }

  #otherDigest(repository: string, expected: string, actual: string): TgoError {
    return new TgoError(
      "INVALID_RESPONSE",
      `the manifest's bytes have the digest ${actual}, not ${expected}`,
      {
        where: this.#where(repository, expected),
        remedy: "The registry, or a proxy before it, sent another manifest than was asked for.",
      },
    );
  }

  #call(
    method: Call["method"],
    path: string,
    doing: string,
    repository: string,
    reference?: string,
    rest: Partial<Call> = {},
  ): Call {
    assertNames(this.host, repository, reference);
    return {
      method,
      url: this.#connection.path(path),
      doing,
      where: this.#where(repository, reference),
      ...rest,
    };
  }

  #where(repository: string, reference?: string): string {
    const name = `${this.host}/${repository}`;
    return reference === undefined
      ? name
      : isDigest(reference)
        ? `${name}@${reference}`
        : `${name}:${reference}`;
  }
}

interface OpenBlob {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly offset: number;
  /** The blob's whole size in bytes, when a range was asked for and the server knows it. */
  readonly total: number | undefined;
}

interface Setback {
  readonly error: TgoError;
  readonly patience:
    { readonly tries: number; readonly reason: string; readonly waits?: readonly number[] } | undefined;
}

const NOTHING: Body = { size: 0, open: () => new Uint8Array(0) };

function pullScope(repository: string): Scope {
  return `repository:${repository}:pull`;
}

function pushScope(repository: string): Scope {
  return `repository:${repository}:pull,push`;
}

function scopeFor(repository: string, { push = false }: Access): Scope {
  return push ? pushScope(repository) : pullScope(repository);
}

function isRegistry(answer: Answer, text: string): boolean {
  if (answer.headers.has("docker-distribution-api-version")) return true;
  return answer.headers.get("content-type")?.includes("html") !== true && !/^\s*</.test(text);
}

/** distribution-spec, "Listing Tags"; `tags` is null in an empty repository. */
const TagList = z.object({ tags: z.array(z.string()).nullish() });

function tagsOf(bytes: Uint8Array, where: string): string[] {
  const text = new TextDecoder().decode(bytes);
  const list = TagList.safeParse(parseJson(text));
  if (list.success) return list.data.tags ?? [];
  throw new TgoError("INVALID_RESPONSE", `expected a list of tags, got ${firstBytes(text)}`, { where });
}
