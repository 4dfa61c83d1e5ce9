import { isTgoError, TgoError } from "@tgo/errors";
import { retryLimits } from "./failures/response-failure.js";
import { hasBlob } from "./blobs.js";
import type { Connection } from "./http/connection.js";
import type { RetryLimits } from "./failures/registry-failure.js";
import { assertNames } from "./reference.js";
import { pullScope, pushScope } from "./auth/scope.js";
import { deadlineError, type Body } from "./http/transport.js";

export interface BlobUpload extends Body {
  readonly digest: string;
  /** Repositories of the same registry that hold the blob: mounted from, in order, before anything is sent. */
  readonly mountFrom?: readonly string[] | undefined;
}

interface Setback {
  readonly error: TgoError;
  readonly patience: RetryLimits | undefined;
}

const UPLOADS = 5;
const NOTHING: Body = { size: 0, open: () => new Uint8Array(0) };

/** See {@link Registry.putBlob}. */
export async function putBlob(
  connection: Connection,
  repository: string,
  upload: BlobUpload,
): Promise<"uploaded" | "mounted" | "exists"> {
  const { digest, size } = upload;
  const isThere = async (): Promise<boolean> =>
    (await hasBlob(connection, repository, digest, { size, push: true })) !== undefined;
  if (await isThere()) return "exists";
  let session: URL | undefined;
  for (const from of upload.mountFrom ?? []) {
    const mount = await mountBlob(connection, repository, digest, from);
    if (mount === "mounted") return "mounted";
    session ??= mount;
  }
  for (let attempt = 1; ; attempt++) {
    const setback = await send(
      connection,
      repository,
      upload,
      session ?? (await startUpload(connection, repository, digest)),
    );
    if (setback === undefined) return "uploaded";
    session = undefined;
    const verdict =
      setback.patience === undefined ? "enough" : connection.transport.verdict(attempt, setback.patience);
    if (setback.patience === undefined || verdict === "enough") throw setback.error;
    if (verdict === "out of time") throw deadlineError(setback.error);
    await connection.transport.wait(attempt, setback.patience, "upload the blob");
    // The answer may have been lost, not the blob: GHCR's repeated commit finds no session, but the blob there.
    if (await isThere()) return "uploaded";
  }
}

/**
 * distribution-spec, "Mounting a blob from another repository".
 * @returns "mounted", or a session to upload to instead, or undefined when the registry gave none.
 */
export async function mountBlob(
  connection: Connection,
  repository: string,
  digest: string,
  from: string,
): Promise<"mounted" | URL | undefined> {
  assertNames(connection.host, from);
  const query = { mount: digest, from };
  const call = connection.call({
    method: "POST",
    repository,
    path: "blobs/uploads/",
    query,
    reference: digest,
    doing: "mount a blob",
    body: NOTHING,
  });
  try {
    // Docker Hub wants both scopes in one token, even for a public source.
    const answer = await connection.send(call, [pushScope(repository), pullScope(from)]);
    await answer.discard();
    if (answer.status === 201) return "mounted";
    return answer.status === 202 ? connection.location(answer, call.where) : undefined;
  } catch (error) {
    // Whatever stands against a mount, an upload may still do.
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
    doing: "start an upload",
    body: NOTHING,
  });
  const answer = await connection.send(call, [pushScope(repository)]);
  if (answer.status !== 202) throw await connection.transport.refusal(answer);
  await answer.discard();
  return connection.location(answer, call.where);
}

async function send(
  connection: Connection,
  repository: string,
  { digest, size, open }: BlobUpload,
  session: URL,
): Promise<Setback | undefined> {
  const where = connection.where(repository, digest);
  if (session.protocol === "http:" && connection.origin.protocol === "https:") {
    throw new TgoError(
      "INVALID_RESPONSE",
      `the registry wants the upload at ${session.origin}, which is not encrypted`,
      { where },
    );
  }
  const url = new URL(session);
  url.searchParams.set("digest", digest);
  const headers = { "content-type": "application/octet-stream" };
  try {
    const answer = await connection.send(
      { method: "PUT", url, where, doing: "upload the blob", headers, body: { size, open }, once: true },
      [pushScope(repository)],
    );
    if (answer.ok) {
      await answer.discard();
      return undefined;
    }
    const lost = answer.status === 404 ? { tries: 3, reason: "the upload session was lost" } : undefined;
    const patience = lost ?? retryLimits(await connection.transport.fault(answer));
    return { error: await connection.transport.refusal(answer), patience };
  } catch (error) {
    if (!isTgoError(error) || error.code !== "UNAVAILABLE") throw error;
    return { error, patience: { tries: UPLOADS, reason: error.what } };
  }
}
