import type { Connection } from "./http/connection.js";
import { pushScope } from "./auth/scope.js";
import type { Body } from "./http/transport.js";

const NOTHING: Body = { size: 0, open: () => new Uint8Array(0) };

/** What a registry that takes pushes was seen to be. */
export interface PushProbe {
  /** The registry's clock, from its Date header (RFC 9110, section 6.6.1); absent when it sends none. */
  readonly date: Date | undefined;
}

/**
 * Whether the credentials may push to a repository, and whether it can be: an upload is begun and given up, so nothing
 * is stored. A token alone proves nothing: Docker Hub gives one that grants nothing.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#post-then-put
 */
export async function probePush(connection: Connection, repository: string): Promise<PushProbe> {
  const scopes = [pushScope(repository)];
  const call = connection.call({
    method: "POST",
    repository,
    path: "blobs/uploads/",
    doing: "start an upload",
    body: NOTHING,
  });
  const answer = await connection.send(call, scopes);
  if (answer.status !== 202) throw await connection.transport.refusal(answer);
  await answer.discard();
  const session = connection.location(answer, call.where);
  // Not every registry lets a session be given up; they end by themselves.
  const cancel = {
    method: "DELETE",
    url: session,
    where: call.where,
    doing: "give up the upload",
    once: true,
  } as const;
  if (session.origin === connection.origin.origin)
    await connection.send(cancel, scopes).then(
      (ended) => ended.discard(),
      () => undefined,
    );
  const date = new Date(answer.headers.get("date") ?? Number.NaN);
  return { date: Number.isNaN(date.getTime()) ? undefined : date };
}
