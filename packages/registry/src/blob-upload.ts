import { isTgoError, TgoError } from "@tgo/errors";
import { pullScope, pushScope } from "./auth/scope.js";
import { hasBlob } from "./blobs.js";
import { attemptsOf } from "./failures/network-failure.js";
import { retryPolicy } from "./failures/response-failure.js";
import type { RetryPolicy } from "./failures/retry-policy.js";
import { EMPTY_BODY, type Body } from "./http/request.js";
import type { Connection } from "./http/connection.js";
import { assertNames } from "./reference.js";

export interface BlobUpload extends Body {
  readonly digest: string;
  /** Repositories of the same registry that have the blob: a mount from each is tried before anything is sent. */
  readonly mountFrom?: readonly string[];
}

interface UploadFailure {
  readonly error: TgoError;
  readonly retry: RetryPolicy | undefined;
}

const UPLOAD_ATTEMPTS = 5;
const SESSION_ATTEMPTS = 3;

/** See {@link Registry.putBlob}. */
export async function putBlob(
  connection: Connection,
  repository: string,
  upload: BlobUpload,
): Promise<"uploaded" | "mounted" | "exists"> {
  const { digest, size } = upload;
  const exists = async (): Promise<boolean> =>
    (await hasBlob(connection, repository, digest, { size, push: true })) !== undefined;
  if (await exists()) return "exists";
  let session: URL | undefined;
  for (const from of upload.mountFrom ?? []) {
    const mount = await mountBlob(connection, repository, digest, from);
    if (mount === "mounted") return "mounted";
    session ??= mount;
  }
  for (let attempt = 1; ; attempt++) {
    session ??= await startUpload(connection, repository, digest);
    const failure = await send(connection, repository, upload, session);
    if (failure === undefined) return "uploaded";
    const { error, retry } = failure;
    // A registry behind a proxy may know itself by a name that only its own network has.
    session = error.code === "UNAVAILABLE" && attempt === 1 ? connection.onOrigin(session) : undefined;
    if (session !== undefined) continue;
    const again = await connection.transport.retries.next(attempt, retry, {
      action: "upload the blob",
      error: () => error,
    });
    if (!again) throw error;
    // The response may have been lost, not the blob: GHCR's repeated commit finds no session, but the blob exists.
    if (await exists()) return "uploaded";
  }
}

/**
 * distribution-spec, "Mounting a blob from another repository".
 * @returns "mounted", or a session to upload to instead, or undefined when the registry opened none
 */
export async function mountBlob(
  connection: Connection,
  repository: string,
  digest: string,
  from: string,
): Promise<"mounted" | URL | undefined> {
  assertNames(connection.host, from);
  const call = connection.call({
    method: "POST",
    repository,
    path: "blobs/uploads/",
    query: { mount: digest, from },
    reference: digest,
    action: "mount a blob",
    body: EMPTY_BODY,
  });
  try {
    // Docker Hub wants both scopes in one token, even for a public source.
    const response = await connection.send(call, [pushScope(repository), pullScope(from)]);
    await response.discard();
    if (response.status === 201) return "mounted";
    return response.status === 202 ? connection.location(response, call.where) : undefined;
  } catch (error) {
    // Whatever prevents a mount, an upload may still work.
    if (isTgoError(error) && error.code !== "INTERRUPTED") return undefined;
    throw error;
  }
}

/** distribution-spec, "POST then PUT". */
async function startUpload(connection: Connection, repository: string, digest: string): Promise<URL> {
  const call = connection.call({
    method: "POST",
    repository,
    path: "blobs/uploads/",
    reference: digest,
    action: "start an upload",
    body: EMPTY_BODY,
  });
  const response = await connection.send(call, [pushScope(repository)]);
  if (response.status !== 202) throw await connection.transport.errorOf(response);
  await response.discard();
  return connection.location(response, call.where);
}

async function send(
  connection: Connection,
  repository: string,
  { digest, size, open }: BlobUpload,
  session: URL,
): Promise<UploadFailure | undefined> {
  const where = connection.where(repository, digest);
  const isPlain = session.protocol === "http:" && connection.origin.protocol === "https:";
  const target = isPlain ? connection.onOrigin(session) : session;
  if (target === undefined) {
    throw new TgoError(
      "INVALID_RESPONSE",
      `the registry wants the upload at ${session.origin}, which is not encrypted`,
      { where },
    );
  }
  const url = new URL(target);
  url.searchParams.set("digest", digest);
  const headers = { "content-type": "application/octet-stream" };
  const { transport } = connection;
  try {
    const response = await connection.send(
      { method: "PUT", url, where, action: "upload the blob", headers, body: { size, open }, once: true },
      [pushScope(repository)],
    );
    if (response.ok) {
      await response.discard();
      return undefined;
    }
    const retry =
      response.status === 404
        ? { attempts: SESSION_ATTEMPTS, reason: "the upload session was lost" }
        : retryPolicy(await transport.failureOf(response));
    return { error: await transport.errorOf(response), retry };
  } catch (error) {
    if (!isTgoError(error) || error.code !== "UNAVAILABLE") throw error;
    // What was sent is progress: an upload that was not answered is tried once more.
    const attempts = Math.min(UPLOAD_ATTEMPTS, Math.max(2, attemptsOf(error)));
    return { error, retry: { attempts, reason: error.what } };
  }
}
