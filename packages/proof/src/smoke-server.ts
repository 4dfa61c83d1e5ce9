import type { Container } from "@dagger.io/dagger";
import { type BuildContext, probeFrom, toolsContainer } from "@tgo/builders";
import { TgoError } from "@tgo/errors";
import pTimeout from "p-timeout";
import { TimedOut } from "./limited-run.js";
import { smokeFailure, type SmokeRun } from "./smoke-failure.js";
import type { SmokePlan } from "./smoke-plan.js";

const ALIAS = "service";

/** Added to the service's own time limit, for its container to start. The engine itself waits for a port forever. */
const START_SECONDS = 10;

/** How long to wait for the killed server. */
const STOP_SECONDS = 10;

/** A server to start, and the requests that it must answer. */
export interface ServerTest extends Pick<SmokePlan, "http"> {
  readonly timeoutSeconds: number;
  /** Whether these are static pages, which change with every release. */
  readonly pages: boolean;
}

const UNCONTROLLED = " (no Cache-Control: browsers may show this page after the next release)";

/**
 * Starts a variant's server, and sends it the requests.
 * @param stop ends the test: its result is not needed any more
 * @returns one line for each request
 * @throws TgoError SMOKE
 */
export async function testServer(
  context: BuildContext,
  { http, timeoutSeconds, pages }: ServerTest,
  container: Container,
  run: SmokeRun,
  stop: AbortSignal,
): Promise<string[]> {
  const { where } = run;
  stop.throwIfAborted();
  const [entrypoint, defaults] = await Promise.all([container.entrypoint(), container.defaultArgs()]);
  const args = [...entrypoint, ...defaults];
  if (args.length === 0) {
    throw new TgoError("SMOKE", "has no command to start", {
      where,
      remedy: "Set image.command in the catalog.",
    });
  }
  // Dagger's engine would wait for the image's own health check, which first runs after a whole interval.
  let listening = container.withoutDockerHealthcheck();
  for (const { port } of http) listening = listening.withExposedPort(port);
  const server = listening.asService({ args });
  const tools = (await toolsContainer(context)).withServiceBinding(ALIAS, server);
  const requests = http.map(({ port, path, status }) => ({ url: `http://${ALIAS}:${port}${path}`, status }));
  try {
    const probe = Promise.race([probeFrom(tools, { requests, timeoutSeconds }), stopped(stop)]);
    const report = await pTimeout(probe, {
      milliseconds: (timeoutSeconds + START_SECONDS) * 1000,
      fallback: () => undefined,
    });
    if (report === undefined) {
      throw new TgoError(
        "SMOKE",
        `did not start: nothing listens on port ${http.map(({ port }) => port).join(", ")}`,
        {
          where,
          remedy: `Start the image by hand and check its log. The time limit was ${timeoutSeconds} s (smoke.timeoutSeconds).`,
          cause: new TimedOut(undefined),
        },
      );
    }
    const lines = report.responses.map(({ status, error, uncontrolled }, index) => {
      const { port, path } = http[index] ?? { port: 0, path: "" };
      const remark = uncontrolled === true && pages ? UNCONTROLLED : "";
      return `GET :${port}${path} ${status ?? error ?? "no response"}${remark}`;
    });
    if (report.ok) return lines;
    throw new TgoError(
      "SMOKE",
      `did not respond as expected within ${timeoutSeconds} s: ${lines.join(", ")}`,
      {
        where,
        remedy:
          "Start the image by hand and check its log. The expected responses are in smoke.http of the catalog.",
        cause: new TimedOut(undefined),
      },
    );
  } catch (error) {
    throw smokeFailure("the service did not start", run, error);
  } finally {
    // Kill it: a shell that waits for its children ignores SIGTERM, and the engine fails the whole session for a service
    // that does not stop in time. Limit the wait, because a service that is still starting cannot be stopped.
    await pTimeout(
      server.stop({ kill: true }).catch(() => undefined),
      { milliseconds: STOP_SECONDS * 1000, fallback: () => undefined },
    );
  }
}

/** Rejects when the signal is aborted. */
function stopped(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener(
      "abort",
      () => {
        reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
      },
      { once: true },
    );
  });
}
