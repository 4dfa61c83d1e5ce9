import { detailsOf, isTgoError, TgoError } from "@tgo/errors";
import pLimit, { type LimitFunction } from "p-limit";
import { pullScope } from "./auth/scope.js";
import { putBlob } from "./blob-upload.js";
import { digestOf, isDigest } from "./digest.js";
import type { Connection } from "./http/connection.js";
import { canonicalJson } from "./json.js";
import type { Descriptor } from "./manifest-schemas.js";
import { READ_LAG_MS, type Manifests } from "./manifests.js";
import { MAX_MANIFEST_BYTES, OCI_EMPTY, OCI_INDEX, OCI_MANIFEST } from "./media-types.js";
import { entryText, extendList, parseList, subjectOf, type ReferrersList } from "./referrers-list.js";
import { nextPage } from "./tags.js";

/** A document attached to an image. */
export interface Artifact {
  /** Its artifact type; also the media type of its one layer. */
  readonly type: string;
  readonly content: Uint8Array;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A document that is attached and listed. */
export interface AttachResult {
  /** Of the artifact's manifest. */
  readonly digest: string;
  readonly state: "done" | "already there";
}

interface Query {
  readonly repository: string;
  /** Of the subject. */
  readonly subject: string;
  /** Digests of the artifacts that the list should have. */
  readonly wanted: readonly string[];
}

/** A list that was read from its tag. */
interface TaggedList extends ReferrersList {
  readonly digest: string;
  readonly etag: string | undefined;
}

/** What a client that asks for an image's referrers gets. */
interface View {
  readonly listed: ReadonlySet<string>;
  /** Of the list's manifest; undefined when the registry has a referrers API. */
  readonly digest?: string;
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidance-for-an-empty-descriptor */
const EMPTY = new TextEncoder().encode("{}");

/** The longest list that is pushed, in bytes: registries accept no longer manifest. */
const MAX_LIST_BYTES = 4 * 1024 * 1024;
/** How many pages of a referrers API are read, and bytes of all of them. */
const MAX_PAGES = 100;
const MAX_PAGES_BYTES = 32 * 1024 * 1024;
/** How many entries of a list are read to see whether it is one of referrers. */
const MAX_CHECKED = 32;
const MAX_WRITES = 8;
/** How long another client may take from its read of a list to its write. */
const SETTLE_MS = 1000;

/** The referrers of a registry's images: distribution-spec, "Listing Referrers". */
export class Referrers {
  readonly #connection: Connection;
  readonly #manifests: Manifests;
  /** By repository and tag: the descriptors that a list has had, and whose turn it is to write it. */
  readonly #lists = new Map<string, { known: Map<string, string>; turn: LimitFunction }>();

  constructor(connection: Connection, manifests: Manifests) {
    this.#connection = connection;
    this.#manifests = manifests;
  }

  /** See {@link Registry.attach}. */
  async attach(
    repository: string,
    subject: Descriptor,
    artifacts: readonly Artifact[],
    anonymous: Referrers | undefined,
  ): Promise<AttachResult[]> {
    const composed = artifacts.map((artifact) => compose(subject, artifact));
    const query = { repository, subject: subject.digest, wanted: composed.map(({ own }) => own.digest) };
    const [present, before] = await Promise.all([
      Promise.all(query.wanted.map((digest) => this.#manifests.resolve(repository, digest, { push: true }))),
      this.#view(query),
    ]);
    const missing = composed.filter(
      ({ own }, index) => present[index] === undefined || !before.listed.has(own.digest),
    );
    const claims = await Promise.all(missing.map((artifact) => this.#push(repository, artifact)));
    const view =
      missing.length === 0
        ? before
        : await this.#list(
            query,
            missing.map(({ own }) => own),
            claims.every(Boolean),
          );
    if (anonymous !== undefined) await anonymous.#expect(query, view);
    return composed.map((artifact) => ({
      digest: artifact.own.digest,
      state: missing.includes(artifact) ? "done" : "already there",
    }));
  }

  /** Whether the registry claims to list it: some send `OCI-Subject` and have no referrers API. */
  async #push(repository: string, { own, blobs, bytes }: Composed): Promise<boolean> {
    await Promise.all(
      blobs.map(({ digest, size, content }) =>
        putBlob(this.#connection, repository, { digest, size, open: () => content }),
      ),
    );
    // Pushed even when it exists: the registry may have got its referrers API since.
    return (await this.#manifests.put(repository, own.digest, OCI_MANIFEST, bytes)).subject !== undefined;
  }

  /** Waits until the referrers API lists the artifacts; without one, adds them to the list under the tag. */
  async #list(query: Query, added: readonly Descriptor[], claimed: boolean): Promise<View> {
    let listed = await this.#api(query);
    for (const lag of READ_LAG_MS.slice(0, claimed ? undefined : 2)) {
      if (listed === undefined || hasAll(listed, query)) break;
      await this.#connection.transport.sleep(lag);
      listed = await this.#api(query);
    }
    if (listed !== undefined && hasAll(listed, query)) return { listed };
    const list = await this.#addToList(query, added);
    if (listed === undefined) return { listed: new Set(list.entries.keys()), digest: list.digest };
    listed = await this.#api(query);
    if (listed !== undefined && hasAll(listed, query)) return { listed };
    throw new TgoError(
      "INVALID_RESPONSE",
      "the registry accepted the artifact, but its referrers API does not list it: oras and cosign do not find it",
      {
        where: this.#where(query),
        remedy:
          "Run the same command again later. Until the API lists it, it is found only by clients that read the list under this tag.",
      },
    );
  }

  /** Waits until this client gets what the other one wrote. */
  async #expect(query: Query, { digest }: View): Promise<void> {
    for (const lag of [...READ_LAG_MS, 0]) {
      const listed = await this.#api(query);
      // HEAD: Docker Hub counts a GET as a pull.
      const named = listed ?? (await this.#manifests.resolve(query.repository, tagOf(query), {}));
      const isSame = named !== undefined && "digest" in named && named.digest === digest;
      if (isSame || hasAll(listed ?? (await this.#read(query))?.entries ?? new Set(), query)) return;
      await this.#connection.transport.sleep(lag);
    }
    throw new TgoError("DENIED", "without credentials, the registry does not list the artifact", {
      where: this.#where(query),
      remedy: "Make the repository public, or run the same command again later if the registry lags.",
    });
  }

  /** What oras and cosign get: the referrers API's list, else the one under the tag. */
  async #view(query: Query): Promise<View> {
    const listed = await this.#api(query);
    if (listed !== undefined) return { listed };
    const list = await this.#read(query);
    return list === undefined
      ? { listed: new Set() }
      : { listed: new Set(list.entries.keys()), digest: list.digest };
  }

  /**
   * What the referrers API lists; undefined where there is none. As other clients, takes only 200 and the media type
   * of an index for a response of it: GHCR redirects to a web page.
   * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
   */
  async #api(query: Query): Promise<Set<string> | undefined> {
    const { transport } = this.#connection;
    const first = this.#connection.call({
      method: "GET",
      repository: query.repository,
      path: `referrers/${query.subject}`,
      reference: query.subject,
      action: "list the referrers",
      headers: { accept: OCI_INDEX },
      buffer: MAX_MANIFEST_BYTES,
    });
    const listed = new Set<string>();
    let url: URL | undefined = first.url;
    let size = 0;
    for (let page = 0; url !== undefined && !hasAll(listed, query); page++) {
      if (page === MAX_PAGES || size > MAX_PAGES_BYTES) {
        throw new TgoError("INVALID_RESPONSE", `the list of referrers has no end: ${page} pages were read`, {
          where: first.where,
        });
      }
      const response = await this.#connection.send({ ...first, url }, [pullScope(query.repository)]);
      const { status } = response;
      if (status === 429 || (status >= 500 && status !== 501) || (page > 0 && !response.ok))
        throw await transport.errorOf(response);
      if (status !== 200 || response.headers.get("content-type") !== OCI_INDEX) {
        await response.discard();
        return undefined;
      }
      const bytes = await response.bytes(MAX_MANIFEST_BYTES);
      size += bytes.length;
      for (const digest of parseList(bytes)?.entries.keys() ?? [])
        if (query.wanted.includes(digest)) listed.add(digest);
      url = nextPage(this.#connection, response, "referrers");
    }
    return listed;
  }

  /** The list under the tag. @throws TgoError CONFLICT when something else is there */
  async #read(query: Query): Promise<TaggedList | undefined> {
    const read = await this.#manifests.readBytes(query.repository, tagOf(query), {});
    if (read === undefined) return undefined;
    const list = parseList(read.bytes);
    if (read.digest !== query.subject && list !== undefined && (await this.#isList(query, list)))
      return { ...list, digest: read.digest, etag: read.etag };
    throw read.digest === query.subject
      ? new TgoError("CONFLICT", "the registry returns the image itself under the tag of its referrers", {
          where: this.#where(query),
          remedy: "Nobody can list referrers there: the registry needs the referrers API.",
        })
      : new TgoError("CONFLICT", "the tag that should list the image's referrers is something else", {
          where: this.#where(query),
          remedy: "Find out who pushed it, and delete it.",
        });
  }

  /** Whether the entries are artifacts of the subject, as far as they still exist. */
  async #isList(query: Query, { entries, hasPlatforms }: ReferrersList): Promise<boolean> {
    if (hasAll(entries, query)) return true;
    let other = hasPlatforms;
    for (const digest of [...entries.keys()].filter(isDigest).slice(0, MAX_CHECKED)) {
      const found = await this.#manifests.readBytes(query.repository, digest, {}).catch((error: unknown) => {
        if (isTgoError(error) && error.code !== "UNAVAILABLE" && error.code !== "INTERRUPTED")
          return undefined;
        throw error;
      });
      if (found === undefined) continue;
      if (subjectOf(found.bytes) === query.subject) return true;
      other = true;
    }
    return !other;
  }

  /**
   * Adds descriptors to the list under the tag, in one write, and returns it when it has been read with them twice.
   * What another client writes meanwhile stays: its list is read and extended. Only where the registry knows
   * conditional requests is nothing lost that was written between our read and our write.
   * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests-with-subject
   */
  async #addToList(query: Query, added: readonly Descriptor[]): Promise<TaggedList> {
    const key = `${query.repository} ${query.subject}`;
    const state = this.#lists.get(key) ?? { known: new Map<string, string>(), turn: pLimit(1) };
    this.#lists.set(key, state);
    return state.turn(async () => {
      for (const descriptor of added) state.known.set(descriptor.digest, entryText(descriptor));
      return this.#write(query, state.known);
    });
  }

  async #write(query: Query, known: Map<string, string>): Promise<TaggedList> {
    const { transport } = this.#connection;
    const waits: number[] = [...READ_LAG_MS];
    let writes = 0;
    let isConfirmed = false;
    /** What was under the tag at the last write, and at the last one that the registry refused as outdated. */
    let replaced: string | undefined;
    let refused: string | undefined;
    for (;;) {
      const list = await this.#read(query);
      const digest = list?.digest ?? "";
      for (const [other, text] of list?.entries ?? []) if (!known.has(other)) known.set(other, text);
      const missing = [...known].filter(([other]) => list?.entries.has(other) !== true);
      if (list !== undefined && missing.length === 0) {
        if (isConfirmed || writes === 0) return list;
        isConfirmed = true;
        await transport.sleep(SETTLE_MS);
        continue;
      }
      isConfirmed = false;
      if (digest === replaced) {
        // Not read yet.
        const lag = waits.shift();
        if (lag === undefined) break;
        await transport.sleep(lag);
        continue;
      }
      if (writes === MAX_WRITES) break;
      if (writes++ > 0)
        await transport.retries.delay(
          writes - 1,
          { attempts: MAX_WRITES, reason: "another client changed the list" },
          "list the referrer",
        );
      const bytes = extendList(
        list,
        missing.map(([, text]) => text),
      );
      if (await this.#replace(query, bytes, { list, always: refused === digest })) replaced = digest;
      else refused = digest;
    }
    throw new TgoError("UNAVAILABLE", "the artifact was pushed, but the list of referrers lacks it", {
      where: this.#where(query),
      remedy: "The registry lags, or others keep writing the list. Run the same command again.",
    });
  }

  /** @param always without a condition: the registry refused one that holds */
  async #replace(
    query: Query,
    bytes: Uint8Array<ArrayBuffer>,
    { list, always }: { readonly list: TaggedList | undefined; readonly always: boolean },
  ): Promise<boolean> {
    const { repository } = query;
    if (bytes.length > MAX_LIST_BYTES) {
      throw new TgoError("DENIED", `the list of referrers would be longer than ${MAX_LIST_BYTES} bytes`, {
        where: this.#where(query),
        remedy: "Delete referrers that nobody needs any more, such as old scan reports.",
      });
    }
    try {
      if (!always) return await this.#manifests.replace(repository, tagOf(query), bytes, list);
      await this.#manifests.put(repository, tagOf(query), OCI_INDEX, bytes);
      return true;
    } catch (error) {
      if (list === undefined || !isTgoError(error) || error.code !== "DENIED") throw error;
      throw new TgoError("DENIED", `the list of referrers cannot be changed: ${error.what}`, {
        ...detailsOf(error),
        remedy:
          `${error.remedy ?? ""}\nIf the registry's tags are immutable: except those that begin with "sha256-".`.trim(),
      });
    }
  }

  #where(query: Query): string {
    return this.#connection.where(query.repository, tagOf(query));
  }
}

interface Composed {
  /** The artifact's manifest as a list describes it. */
  readonly own: Descriptor;
  readonly bytes: Uint8Array;
  readonly blobs: readonly {
    readonly digest: string;
    readonly size: number;
    readonly content: Uint8Array;
  }[];
}

function compose(subject: Descriptor, { type, content, annotations = {} }: Artifact): Composed {
  const config = { mediaType: OCI_EMPTY, digest: digestOf(EMPTY), size: EMPTY.length };
  const layer = { mediaType: type, digest: digestOf(content), size: content.length };
  const { mediaType, digest, size } = subject;
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType: type,
    config,
    layers: [layer],
    subject: { mediaType, digest, size },
    annotations,
  };
  const bytes = new TextEncoder().encode(canonicalJson(manifest));
  return {
    own: {
      mediaType: OCI_MANIFEST,
      digest: digestOf(bytes),
      size: bytes.length,
      artifactType: type,
      annotations,
    },
    bytes,
    blobs: [
      { ...config, content: EMPTY },
      { ...layer, content },
    ],
  };
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema */
function tagOf({ subject }: Query): string {
  // Algorithm and 64 digits, for sha512 too.
  return subject.replace(":", "-").slice(0, 71);
}

function hasAll(listed: { has: (digest: string) => boolean }, { wanted }: Query): boolean {
  return wanted.every((digest) => listed.has(digest));
}
