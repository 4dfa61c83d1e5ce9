import { TgoError } from "@tgo/errors";
import type { IdleTimeout } from "./http/idle-timeout.js";
import type { RegistryResponse } from "./http/response.js";
import { blobStream } from "./blob-stream.js";
import { isRedirect, type Connection } from "./http/connection.js";
import { pullScope, scopeFor, type Access } from "./auth/scope.js";
import type { Descriptor } from "./manifest-schemas.js";
import { assertRegistry } from "./ping.js";

/** A byte range, both ends included. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

interface OpenBlob {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Of the first chunk, within the requested range. */
  readonly offset: number;
  /** The blob's whole size in bytes, when a range was requested and the server knows it. */
  readonly total: number | undefined;
  readonly discard: () => Promise<void>;
}

const RESUMES = 5;

/** distribution-spec, "Checking if content exists in the registry". See {@link Registry.hasBlob}. */
export async function hasBlob(
  connection: Connection,
  repository: string,
  digest: string,
  { size, ...access }: Access & { readonly size?: number },
): Promise<number | undefined> {
  const call = connection.call({
    method: "HEAD",
    repository,
    path: `blobs/${digest}`,
    reference: digest,
    action: "look for a blob",
  });
  const response = await connection.send(call, [scopeFor(repository, access)]);
  await response.discard();
  if (response.status === 404) {
    assertRegistry(response, connection);
    return undefined;
  }
  // A redirect leads to a store whose signed URL may allow only GET; the redirect alone says the blob exists.
  if (!isRedirect(response) && !response.ok) throw await connection.transport.errorOf(response);
  const length = isRedirect(response)
    ? Number.NaN
    : Number(response.headers.get("content-length") ?? Number.NaN);
  return Number.isSafeInteger(length) ? length : (size ?? sizeByRange(connection, repository, digest));
}

/** distribution-spec, "Pulling blobs". See {@link Registry.blob}. */
export async function readBlobStream(
  connection: Connection,
  repository: string,
  { digest, size }: Pick<Descriptor, "digest" | "size">,
  range: Range | undefined,
): Promise<ReadableStream<Uint8Array>> {
  const idle = connection.transport.idleTimeout();
  // Opened now, so that this call throws a refusal; the first read uses it.
  const first = await open(connection, idle, { repository, digest, range, offset: 0 });
  let unread: OpenBlob | undefined = first;
  return blobStream({
    open: async (offset) => {
      const opened = unread;
      unread = undefined;
      return opened ?? open(connection, idle, { repository, digest, range, offset });
    },
    abandon: async () => unread?.discard(),
    size: range === undefined ? size : range.end - range.start + 1,
    digest: range === undefined ? digest : undefined,
    where: connection.where(repository, digest),
    resumes: RESUMES,
    pause: (attempt) =>
      connection.transport.retries.delay(
        attempt,
        { attempts: RESUMES, reason: "the connection broke" },
        "read the blob",
      ),
  });
}

async function sizeByRange(connection: Connection, repository: string, digest: string): Promise<number> {
  const idle = connection.transport.idleTimeout();
  const range = { start: 0, end: 0 };
  const { discard, total } = await open(connection, idle, { repository, digest, range, offset: 0 });
  await discard();
  if (total !== undefined) return total;
  throw new TgoError("INVALID_RESPONSE", "the registry does not say how large the blob is", {
    where: connection.where(repository, digest),
  });
}

/** A part of a blob, from an offset within it. */
interface BlobPart {
  readonly repository: string;
  readonly digest: string;
  /** Undefined: all of it. */
  readonly range: Range | undefined;
  readonly offset: number;
}

async function open(connection: Connection, idle: IdleTimeout, part: BlobPart): Promise<OpenBlob> {
  const { range, offset } = part;
  const start = (range?.start ?? 0) + offset;
  const ranged = range !== undefined || offset > 0;
  const response = await request(
    connection,
    idle,
    part,
    ranged ? { range: `bytes=${start}-${range?.end ?? ""}` } : {},
  );
  if (!response.ok) throw await connection.transport.errorOf(response);
  const body = { chunks: response.chunks(), discard: () => response.discard() };
  // The server ignores ranges: a resume skips the beginning, but a requested part must not be the whole.
  if (!ranged || (response.status !== 206 && range === undefined))
    return { ...body, offset: 0, total: undefined };
  const [, from, total] =
    /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "") ?? [];
  if (response.status === 206 && from !== undefined && Number(from) === start) {
    return { ...body, offset, total: total === "*" ? undefined : Number(total) };
  }
  await response.discard();
  const what =
    response.status === 206
      ? `the registry sent a range other than bytes ${start}-${range?.end ?? ""}`
      : "the registry ignores byte ranges";
  throw new TgoError("INVALID_RESPONSE", what, { where: response.call.where });
}

async function request(
  connection: Connection,
  idle: IdleTimeout,
  { repository, digest, range }: BlobPart,
  headers: Readonly<Record<string, string>>,
): Promise<RegistryResponse> {
  const call = connection.call({
    method: "GET",
    repository,
    path: `blobs/${digest}`,
    reference: digest,
    action: "read the blob",
    headers,
    idle,
  });
  // The digest of a whole blob is verified, so an unencrypted store is acceptable.
  const plainStore = range === undefined;
  const follow = (): Promise<RegistryResponse> =>
    connection.follow(call, [pullScope(repository)], { plainStore });
  const response = await follow();
  if (response.status !== 403 || response.call.url.origin === connection.origin.origin) return response;
  // The store's signed URL has expired: the registry issues a new one.
  await response.discard();
  return follow();
}
