import { setTimeout as sleep } from "node:timers/promises";

export interface ProbeInput {
  readonly requests: readonly { readonly url: string; readonly status: number }[];
  /** Time limit for all requests, in seconds. */
  readonly timeoutSeconds: number;
}

export interface ProbeReport {
  readonly ok: boolean;
  readonly responses: readonly ProbeResponse[];
}

interface ProbeResponse {
  readonly url: string;
  readonly status?: number;
  readonly error?: string;
  /** Set for an HTML page without a Cache-Control header: browsers keep it as long as they like. */
  readonly uncontrolled?: true;
}

/** Repeats every request until it gets the expected status, or the time limit is reached. */
export async function probe({ requests, timeoutSeconds }: ProbeInput): Promise<ProbeReport> {
  const deadline = Date.now() + timeoutSeconds * 1000;
  const results = await Promise.all(
    requests.map(async ({ url, status }) => {
      for (;;) {
        const response = await request(url);
        if (response.status === status || Date.now() > deadline)
          return { ok: response.status === status, response };
        await sleep(200);
      }
    }),
  );
  return { ok: results.every(({ ok }) => ok), responses: results.map(({ response }) => response) };
}

async function request(url: string): Promise<ProbeResponse> {
  try {
    const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(10_000) });
    await response.arrayBuffer();
    const { status, headers } = response;
    const isPage = /^text\/html\b/i.test(headers.get("content-type") ?? "");
    return { url, status, ...(isPage && !headers.has("cache-control") ? { uncontrolled: true } : {}) };
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    return { url, error: cause instanceof Error ? cause.message : String(cause) };
  }
}
