import { Registry, type RegistryOptions, type Retry } from "@tgo/registry";

export interface FakeRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** A server written in a test: for failures, and for quirks of real registries. */
export type FakeServer = (request: FakeRequest) => Response | Promise<Response>;

/** A fetch that reaches only this server, and all requests it received. */
export function fakeFetch(server: FakeServer): { fetch: typeof fetch; requests: FakeRequest[] } {
  const requests: FakeRequest[] = [];
  return {
    requests,
    fetch: async (input, init = {}) => {
      const url = new URL(input instanceof Request ? input.url : input);
      const body = Buffer.from(await new Response(init.body).arrayBuffer());
      const request = { method: init.method ?? "GET", url, headers: new Headers(init.headers), body };
      requests.push(request);
      return server(request);
    },
  };
}

/** A registry client in front of a fake server. Time does not pass: delays are recorded, not waited for. */
export function fakeRegistry(
  server: FakeServer,
  options: Partial<RegistryOptions> = {},
): { registry: Registry; requests: FakeRequest[]; delays: number[]; retries: Retry[] } {
  const { fetch, requests } = fakeFetch(server);
  const delays: number[] = [];
  const retries: Retry[] = [];
  const registry = new Registry({
    host: "ghcr.io",
    fetch,
    random: () => 0,
    sleep: (milliseconds) => {
      delays.push(milliseconds);
      return Promise.resolve();
    },
    onRetry: (retry) => retries.push(retry),
    ...options,
  });
  return { registry, requests, delays, retries };
}

export function jsonResponse(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", ...headers },
  });
}

/** distribution-spec, "Error Codes". */
export function errorResponse(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return jsonResponse(status, { errors: [{ code, message }] }, headers);
}

export function networkError(code: string): TypeError {
  return new TypeError("fetch failed", { cause: Object.assign(new Error(`connect ${code}`), { code }) });
}

/** The error that this promise must reject with. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  const thrown: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof Error) return thrown;
  throw new Error("it did not fail");
}
