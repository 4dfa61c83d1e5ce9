import { deleteScope, pullScope, pushScope } from "./auth/scope.js";
import { Connection, type ConnectionOptions } from "./http/connection.js";
import type { RegistryRequest } from "./http/request.js";

/** A request as it is sent; nothing in it is judged. */
export interface RawRequest {
  readonly method: RegistryRequest["method"];
  readonly repository: string;
  /** Below the repository, "manifests/v1"; or the whole address of an upload that a `location` named. */
  readonly path: string | URL;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Another repository that it reads from. */
  readonly from?: string;
}

/** An answer as it came; redirects are not followed. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The beginning of its body. */
  readonly text: string;
  /** Its `Location`, resolved; undefined if it has none that is usable. */
  readonly location: URL | undefined;
}

/**
 * A registry's own answers, with its login and without the client's repairs: nothing is retried but a refused token.
 * For what shows how a registry behaves; everything else uses `Registry`.
 */
export function rawAnswers(options: ConnectionOptions): (request: RawRequest) => Promise<RawAnswer> {
  const connection = new Connection({ ...options, retries: 0 });
  return async ({ method, repository, path, query, headers, body, from }) => {
    const rest = {
      method,
      action: `${method} ${typeof path === "string" ? path : "an upload"}`,
      once: true,
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body: { size: body.length, open: () => body } }),
    };
    const call: RegistryRequest =
      typeof path === "string"
        ? connection.call({ ...rest, repository, path, ...(query === undefined ? {} : { query }) })
        : { ...rest, url: path, where: connection.where(repository) };
    const own = method === "DELETE" ? deleteScope(repository) : pushScope(repository);
    const response = await connection.send(call, from === undefined ? [own] : [own, pullScope(from)]);
    const text = await response.text();
    await response.discard();
    const named = response.headers.get("location") ?? "";
    const location = URL.canParse(named, call.url.href)
      ? connection.reach(new URL(named, call.url))
      : undefined;
    return { status: response.status, headers: response.headers, text, location };
  };
}
