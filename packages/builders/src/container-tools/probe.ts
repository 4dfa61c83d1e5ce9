import { setTimeout as sleep } from "node:timers/promises";

export interface ProbeInput {
  readonly requests: readonly { readonly url: string; readonly status: number }[];
  /** Time for all of them to answer, seconds. */
  readonly timeoutSeconds: number;
}

export interface ProbeReport {
  readonly ok: boolean;
  readonly answers: readonly { readonly url: string; readonly status?: number; readonly error?: string }[];
}

/** Asks until every request is answered as expected, or the time is over. */
export async function probe({ requests, timeoutSeconds }: ProbeInput): Promise<ProbeReport> {
  const deadline = Date.now() + timeoutSeconds * 1000;
  const answers = await Promise.all(
    requests.map(async ({ url, status }) => {
      for (;;) {
        const answer = await ask(url);
        if (answer.status === status || Date.now() > deadline)
          return { ok: answer.status === status, answer };
        await sleep(200);
      }
    }),
  );
  return { ok: answers.every(({ ok }) => ok), answers: answers.map(({ answer }) => answer) };
}

async function ask(url: string): Promise<{ url: string; status?: number; error?: string }> {
  try {
    const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(10_000) });
    await response.arrayBuffer();
    return { url, status: response.status };
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    return { url, error: cause instanceof Error ? cause.message : String(cause) };
  }
}
