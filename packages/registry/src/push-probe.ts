import { pushScope } from "./auth/scope.js";
import { EMPTY_BODY } from "./http/request.js";
import type { Connection } from "./http/connection.js";

/** What a probe learned from a registry that accepts pushes. */
export interface PushProbe {
  /** The registry's clock, from its Date header (RFC 9110, section 6.6.1); undefined when it sends none. */
  readonly date: Date | undefined;
}

/**
 * Checks that the credentials may push to a repository and that it accepts pushes: starts an upload and cancels it,
 * so nothing is stored. A token alone proves nothing: Docker Hub issues ones that grant nothing.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#post-then-put
 */
export async function probePush(connection: Connection, repository: string): Promise<PushProbe> {
  const scopes = [pushScope(repository)];
  const call = connection.call({
    method: "POST",
    repository,
    path: "blobs/uploads/",
    action: "start an upload",
    body: EMPTY_BODY,
  });
  const response = await connection.send(call, scopes);
  if (response.status !== 202) throw await connection.transport.errorOf(response);
  await response.discard();
  const session = connection.location(response, call.where);
  // Not every registry lets an upload be cancelled; sessions expire by themselves.
  const cancel = {
    method: "DELETE",
    url: session,
    where: call.where,
    action: "cancel the upload",
    once: true,
  } as const;
  if (session.origin === connection.origin.origin)
    await connection.send(cancel, scopes).then(
      (cancelled) => cancelled.discard(),
      () => undefined,
    );
  const date = new Date(response.headers.get("date") ?? Number.NaN);
  return { date: Number.isNaN(date.getTime()) ? undefined : date };
}
