import { TgoError } from "@tgo/errors";
import type { RegistryResponse } from "./http/response.js";
import { blobStream } from "./blob-stream.js";
import { isRedirect, type Connection } from "./http/connection.js";
import { pullScope, scopeFor, type Access } from "./auth/scope.js";
import { assertRegistry } from "./ping.js";

/** A byte range, both ends included. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

interface OpenBlob {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Of the first chunk within what was asked for. */
  readonly offset: number;
  /** The blob's whole size in bytes, when a range was asked for and the server knows it. */
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
    doing: "look for a blob",
  });
  const answer = await connection.send(call, [scopeFor(repository, access)]);
  await answer.discard();
  if (answer.status === 404) {
    assertRegistry(answer, connection);
    return undefined;
  }
  // A redirect is to a store whose signed URL may allow GET only; that it was given says the blob exists.
  if (!isRedirect(answer) && !answer.ok) throw await connection.transport.refusal(answer);
  const length = isRedirect(answer) ? Number.NaN : Number(answer.headers.get("content-length") ?? Number.NaN);
  return Number.isSafeInteger(length) ? length : (size ?? sizeByRange(connection, repository, digest));
}

/** distribution-spec, "Pulling blobs". See {@link Registry.blob}. */
export async function readBlobStream(
  connection: Connection,
  repository: string,
  digest: string,
  range: Range | undefined,
): Promise<ReadableStream<Uint8Array>> {
  // Opened now, so that a refusal is this call's; used by the first read.
  const first = await open(connection, repository, digest, range, 0);
  let opened: OpenBlob | undefined = first;
  return blobStream({
    open: async (offset) => {
      const given = opened;
      opened = undefined;
      return given ?? open(connection, repository, digest, range, offset);
    },
    abandon: async () => opened?.discard(),
    digest: range === undefined ? digest : undefined,
    where: connection.where(repository, digest),
    resumes: RESUMES,
    pause: (attempt) =>
      connection.transport.wait(attempt, { tries: RESUMES, reason: "the connection broke" }, "read the blob"),
  });
}

async function sizeByRange(connection: Connection, repository: string, digest: string): Promise<number> {
  const { chunks, total } = await open(connection, repository, digest, { start: 0, end: 0 }, 0);
  let length = 0;
  for await (const chunk of chunks) length += chunk.length;
  return total ?? length;
}

async function open(
  connection: Connection,
  repository: string,
  digest: string,
  range: Range | undefined,
  offset: number,
): Promise<OpenBlob> {
  const start = (range?.start ?? 0) + offset;
  const ranged = range !== undefined || offset > 0;
  const answer = await ask(
    connection,
    repository,
    digest,
    ranged ? `bytes=${start}-${range?.end ?? ""}` : undefined,
    range === undefined,
  );
  if (!answer.ok) throw await connection.transport.refusal(answer);
  const body = { chunks: answer.chunks(), discard: () => answer.discard() };
  // Ranges are ignored: to resume, the beginning is read past. As the part asked for, the whole would be wrong.
  if (!ranged || (answer.status !== 206 && range === undefined))
    return { ...body, offset: 0, total: undefined };
  const [, from, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(answer.headers.get("content-range") ?? "") ?? [];
  if (answer.status === 206 && from !== undefined && Number(from) === start) {
    return { ...body, offset, total: total === "*" ? undefined : Number(total) };
  }
  await answer.discard();
  const what =
    answer.status === 206
      ? `the registry sent another range than bytes ${start}-${range?.end ?? ""}`
      : "the registry ignores byte ranges";
  throw new TgoError("INVALID_RESPONSE", what, { where: answer.call.where });
}

/** @param whole the digest will be checked, so that an unencrypted store will do. */
async function ask(
  connection: Connection,
  repository: string,
  digest: string,
  range: string | undefined,
  whole: boolean,
): Promise<RegistryResponse> {
  const call = connection.call({
    method: "GET",
    repository,
    path: `blobs/${digest}`,
    reference: digest,
    doing: "read the blob",
    ...(range === undefined ? {} : { headers: { range } }),
  });
  const follow = (): Promise<RegistryResponse> =>
    connection.follow(call, [pullScope(repository)], { plainStore: whole });
  const answer = await follow();
  if (answer.status !== 403 || answer.call.url.origin === connection.origin.origin) return answer;
  // The store's signed URL is over: the registry gives a new one.
  await answer.discard();
  return follow();
}
