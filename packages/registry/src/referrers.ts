import { detailsOf, isTgoError, TgoError, type TgoErrorCode } from "@tgo/errors";
import pLimit, { type LimitFunction } from "p-limit";
import { putBlob } from "./blob-upload.js";
import { digestOf, isDigest } from "./digest.js";
import type { Connection } from "./http/connection.js";
import { canonicalJson } from "./json.js";
import type { Descriptor } from "./manifest-schemas.js";
import { READ_LAG_MS, type Manifests } from "./manifests.js";
import { OCI_CONFIG, OCI_EMPTY, OCI_MANIFEST } from "./media-types.js";
import { entryText, extendList, parseList, subjectOf, type ReferrersList } from "./referrers-list.js";
import { listTag, referrersPages } from "./referrers-pages.js";

/** A document attached to an image. */
export interface Artifact {
  /** Its artifact type; also the media type of its one layer. */
  readonly type: string;
  readonly content: Uint8Array;
  readonly annotations?: Readonly<Record<string, string>>;
  /**
   * The media type of its config, which is `{}` either way: some registries, such as Aliyun ACR, accept a manifest only
   * with the config of an image. "empty" when absent.
   */
  readonly config?: "empty" | "image-config";
}

/** A document that is attached and listed. */
export interface AttachResult {
  /** Of the artifact's manifest. */
  readonly digest: string;
  readonly state: "done" | "already there" | "by tag";
  /** For "by tag": only clients that read the list under this tag find it; the registry's referrers API lacks it. */
  readonly tag?: string;
}

/** One registry, and what it has shown of its lists. */
export interface ReferrersClient {
  readonly connection: Connection;
  readonly manifests: Manifests;
  /** By repository and tag: the descriptors that a list has had, and whose turn it is to write it. */
  readonly lists: Map<string, { known: Map<string, string>; turn: LimitFunction }>;
}

/** The list of an image's referrers, as a registry is asked for it. */
interface Query extends ReferrersClient {
  readonly repository: string;
  /** The image's digest. */
  readonly subject: string;
  /** Where clients look when there is no referrers API. */
  readonly tag: string;
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
  readonly listed: ReadonlySet<string> | ReadonlyMap<string, unknown>;
  /** Of the list's manifest; undefined when the registry's referrers API lists the artifacts. */
  readonly digest?: string;
  /** The registry has a referrers API, which does not list them: clients that ask it do not read the tag. */
  readonly isHidden?: boolean;
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidance-for-an-empty-descriptor */
const EMPTY = new TextEncoder().encode("{}");

/** The longest list that is pushed, in bytes: registries accept no longer manifest. */
const MAX_LIST_BYTES = 4 * 1024 * 1024;
/** How many entries of a list are read to see whether it is one of referrers. */
const MAX_CHECKED = 32;
const MAX_WRITES = 10;
/** How long another client may take from its read of a list to its write. */
const SETTLE_MS = 1000;

/**
 * Attaches documents to an image: pushes manifests whose subject is the image, and sees to it that clients which ask
 * for the image's referrers find them. A registry whose referrers API does not list them gets them in one write in the
 * list under the tag where clients look that find no API; what other tools have put there stays byte for byte. Attaching
 * the same document again changes nothing.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests-with-subject
 * @param anonymous the same registry without credentials, when anyone should find them
 * @throws TgoError DENIED when the registry accepts no artifacts, CONFLICT when the tag is something else than a list,
 *   UNAVAILABLE when they were pushed and cannot be listed
 */
export async function attach(
  client: ReferrersClient,
  repository: string,
  { subject, artifacts }: { readonly subject: Descriptor; readonly artifacts: readonly Artifact[] },
  anonymous: ReferrersClient | undefined,
): Promise<AttachResult[]> {
  const composed = artifacts.map((artifact) => compose(subject, artifact));
  return attachManifests(client, repository, { subject: subject.digest, artifacts: composed }, anonymous);
}

/**
 * Attaches artifacts that exist already, byte for byte: as {@link attach}.
 * @param attached.subject the digest that all of them name as their subject
 */
export async function attachManifests(
  client: ReferrersClient,
  repository: string,
  {
    subject,
    artifacts: composed,
  }: { readonly subject: string; readonly artifacts: readonly ArtifactManifest[] },
  anonymous?: ReferrersClient,
): Promise<AttachResult[]> {
  const query: Query = {
    ...client,
    repository,
    subject,
    tag: listTag(subject),
    wanted: composed.map(({ own }) => own.digest),
  };
  const [present, before] = await Promise.all([
    Promise.all(query.wanted.map((digest) => client.manifests.resolve(repository, digest, { push: true }))),
    look(query),
  ]);
  const missing = composed.filter(
    ({ own }, index) => present[index] === undefined || !before.listed.has(own.digest),
  );
  const claims = await Promise.all(missing.map((artifact) => push(query, artifact)));
  await Promise.all(missing.map(({ own }) => expectStored(query, own.digest)));
  const added = missing.map(({ own }) => own);
  const view = missing.length === 0 ? before : await list(query, added, claims.every(Boolean));
  if (anonymous !== undefined) await expectSame({ ...query, ...anonymous }, view);
  return composed.map((artifact) => {
    const { digest } = artifact.own;
    if (!missing.includes(artifact)) return { digest, state: "already there" };
    return view.isHidden === true ? { digest, state: "by tag", tag: query.tag } : { digest, state: "done" };
  });
}

/** Whether the registry claims to list it: some send `OCI-Subject` and have no referrers API. */
async function push(query: Query, { own, blobs, bytes }: ArtifactManifest): Promise<boolean> {
  const { connection, manifests, repository } = query;
  await Promise.all(
    blobs.map(([digest, content]) =>
      putBlob(connection, repository, { digest, size: content.length, open: () => content }),
    ),
  );
  // Pushed even when it exists: the registry may have got its referrers API since.
  return (await manifests.put(repository, own.digest, own.mediaType, bytes)).subject !== undefined;
}

/** A list can name what the registry has forgotten. */
async function expectStored(query: Query, digest: string): Promise<void> {
  if ((await query.manifests.resolve(query.repository, digest, { push: true })) !== undefined) return;
  throw problem(
    query,
    "UNAVAILABLE",
    `the artifact ${digest} was pushed, but the registry lacks it`,
    "Run the same command again. If that does not help, the registry loses what it accepts.",
  );
}

/** Waits until the referrers API lists the artifacts; where it does not, adds them to the list under the tag. */
async function list(query: Query, added: readonly Descriptor[], claimed: boolean): Promise<View> {
  let listed = await askApi(query);
  for (const lag of READ_LAG_MS.slice(0, claimed ? undefined : 2)) {
    if (listed === undefined || hasAll(listed, query)) break;
    await query.connection.transport.sleep(lag);
    listed = await askApi(query);
  }
  if (listed !== undefined && hasAll(listed, query)) return { listed };
  const { entries, digest } = await addToList(query, added);
  if (listed === undefined) return { listed: entries, digest };
  listed = await askApi(query);
  if (listed !== undefined && hasAll(listed, query)) return { listed };
  return { listed: entries, digest, isHidden: true };
}

/** Waits until this client gets what the other one wrote. */
async function expectSame(query: Query, { digest, isHidden = false }: View): Promise<void> {
  for (const lag of [...READ_LAG_MS, 0]) {
    const listed = await askApi(query);
    if (listed !== undefined && hasAll(listed, query)) return;
    if (listed === undefined || isHidden) {
      // HEAD: Docker Hub counts a GET as a pull.
      const named = await query.manifests.resolve(query.repository, query.tag, {});
      if (named !== undefined && named.digest === digest) return;
      const read = named === undefined ? undefined : await readList(query);
      if (read !== undefined && hasAll(read.entries, query)) return;
    }
    await query.connection.transport.sleep(lag);
  }
  throw problem(
    query,
    "DENIED",
    "without credentials, the registry does not list the artifact",
    "Make the repository public, or run the same command again later if the registry lags.",
  );
}

/** What oras and cosign get: the referrers API's list, else the one under the tag. */
async function look(query: Query): Promise<View> {
  const listed = await askApi(query);
  if (listed !== undefined) return { listed };
  const { entries = new Map<string, string>(), digest } = (await readList(query)) ?? {};
  return { listed: entries, ...(digest === undefined ? {} : { digest }) };
}

/**
 * Which of the artifacts the referrers API lists; undefined where there is none.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
 */
async function askApi(query: Query): Promise<Set<string> | undefined> {
  const { connection, repository, subject, tag, wanted } = query;
  const listed = new Set<string>();
  const pages = referrersPages(connection, { repository, subject, tag });
  for await (const bytes of pages) {
    if (bytes === undefined) return undefined;
    const entries = parseList(bytes)?.entries;
    for (const digest of wanted) if (entries?.has(digest) === true) listed.add(digest);
    if (hasAll(listed, query)) break;
  }
  return listed;
}

/** The list under the tag. @throws TgoError CONFLICT when something else is there */
async function readList(query: Query): Promise<TaggedList | undefined> {
  const read = await query.manifests.readBytes(query.repository, query.tag, {});
  if (read === undefined) return undefined;
  if (read.digest === query.subject)
    throw problem(
      query,
      "CONFLICT",
      "the registry returns the image itself under the tag of its referrers",
      "Nobody can list referrers there: the registry needs the referrers API.",
    );
  const parsed = parseList(read.bytes);
  if (parsed !== undefined && (await isOfSubject(query, parsed))) return { ...parsed, ...read };
  throw problem(
    query,
    "CONFLICT",
    "the tag that should list the image's referrers is something else",
    "Find out who pushed it, and delete it.",
  );
}

/** Whether the entries are artifacts of the subject, as far as they still exist. */
async function isOfSubject(query: Query, { entries, hasPlatforms }: ReferrersList): Promise<boolean> {
  if (hasAll(entries, query)) return true;
  let other = hasPlatforms;
  for (const digest of [...entries.keys()].filter(isDigest).slice(0, MAX_CHECKED)) {
    const found = await query.manifests.readBytes(query.repository, digest, {}).catch((error: unknown) => {
      if (isTgoError(error) && error.code !== "UNAVAILABLE" && error.code !== "INTERRUPTED") return undefined;
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
 * What another client writes meanwhile stays: its list is read and extended. Only where the registry knows conditional
 * requests is nothing lost that was written between our read and our write.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests-with-subject
 */
async function addToList(query: Query, added: readonly Descriptor[]): Promise<TaggedList> {
  const key = `${query.repository} ${query.tag}`;
  const state = query.lists.get(key) ?? { known: new Map<string, string>(), turn: pLimit(1) };
  query.lists.set(key, state);
  return state.turn(async () => {
    for (const descriptor of added) state.known.set(descriptor.digest, entryText(descriptor));
    return writeList(query, state.known);
  });
}

async function writeList(query: Query, known: Map<string, string>): Promise<TaggedList> {
  const { transport } = query.connection;
  const waits: number[] = [...READ_LAG_MS];
  let isConfirmed = false;
  /** What was under the tag at the last write, and at the last one that the registry refused as outdated. */
  let replaced: string | undefined;
  let refused: string | undefined;
  for (let writes = 0; ;) {
    const current = await readList(query);
    const digest = current?.digest ?? "";
    for (const [other, text] of current?.entries ?? []) if (!known.has(other)) known.set(other, text);
    const missing = [...known].filter(([other]) => current?.entries.has(other) !== true);
    if (current !== undefined && missing.length === 0) {
      if (isConfirmed || writes === 0) return current;
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
    const policy = { attempts: MAX_WRITES, reason: "another client changed the list" };
    // At most two seconds: writers that meet are soon apart.
    if (writes > 0) await transport.retries.delay(Math.min(writes, 3), policy, "list the referrer");
    writes++;
    const texts = missing.map(([, text]) => text);
    const isWritten = await replaceList(query, extendList(current, texts), {
      current,
      always: refused === digest,
    });
    if (isWritten) replaced = digest;
    else refused = digest;
  }
  throw problem(
    query,
    "UNAVAILABLE",
    "the artifact was pushed, but the list of referrers lacks it",
    "The registry lags, or others keep writing the list. Run the same command again.",
  );
}

/** @param always without a condition: the registry refused one that holds */
async function replaceList(
  query: Query,
  bytes: Uint8Array,
  { current, always }: { readonly current: TaggedList | undefined; readonly always: boolean },
): Promise<boolean> {
  if (bytes.length > MAX_LIST_BYTES)
    throw problem(
      query,
      "DENIED",
      `the list of referrers would be longer than ${MAX_LIST_BYTES} bytes`,
      "Delete referrers that nobody needs any more, such as old scan reports.",
    );
  const { manifests, repository, tag } = query;
  try {
    return await manifests.replace(repository, tag, bytes, always ? "anything" : current);
  } catch (error) {
    if (current === undefined || !isTgoError(error) || error.code !== "DENIED") throw error;
    throw new TgoError("DENIED", `the list of referrers cannot be changed: ${error.what}`, {
      ...detailsOf(error),
      remedy:
        'Lists of referrers change: exempt tags that begin with "sha256-" from the registry\'s immutability rule.',
    });
  }
}

/** The manifest of an artifact, with everything that it lists. */
export interface ArtifactManifest {
  /** As a list of referrers describes it. */
  readonly own: Descriptor;
  readonly bytes: Uint8Array;
  /** With their digests. */
  readonly blobs: readonly (readonly [string, Uint8Array])[];
}

function compose(
  subject: Descriptor,
  { type, content, annotations = {}, config: kind = "empty" }: Artifact,
): ArtifactManifest {
  const configType = kind === "empty" ? OCI_EMPTY : OCI_CONFIG;
  const config = { mediaType: configType, digest: digestOf(EMPTY), size: EMPTY.length };
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
  const own = { mediaType: OCI_MANIFEST, digest: digestOf(bytes), size: bytes.length };
  return {
    own: { ...own, artifactType: type, annotations },
    bytes,
    blobs: [
      [config.digest, EMPTY],
      [layer.digest, content],
    ],
  };
}

function hasAll(listed: View["listed"], { wanted }: Query): boolean {
  return wanted.every((digest) => listed.has(digest));
}

function problem(
  { connection, repository, tag }: Query,
  code: TgoErrorCode,
  what: string,
  remedy?: string,
): TgoError {
  const where = connection.where(repository, tag);
  return new TgoError(code, what, { where, ...(remedy === undefined ? {} : { remedy }) });
}
