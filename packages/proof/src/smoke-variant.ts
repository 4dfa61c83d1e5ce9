import type { Container } from "@dagger.io/dagger";
import type { Platform, Service } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import pTimeout from "p-timeout";
import {
  type Variant,
  type BuildContext,
  execFailure,
  lastLines,
  errorMessage,
  MACHINES,
  probeFrom,
  toolsContainer,
} from "@tgo/builders";
import { importLines, runImports } from "./imports.js";
import { smokePlan, type SmokePlan } from "./smoke-plan.js";

export interface SmokeResult {
  readonly platform: Platform;
  /** The machine that the running variant reports: x86_64, aarch64. */
  readonly machine: string;
  /** One line per step. */
  readonly lines: readonly string[];
}

const ALIAS = "service";

/** Added to the service's own time limit, for its container to start. The engine itself waits for a port forever. */
const START_SECONDS = 10;

/** How long to wait for the killed server. */
const STOP_SECONDS = 10;

/**
 * Smoke-tests a variant: its machine, its commands, its imports and its server. Every run has its own network, so nothing
 * else on the same port can respond in its place.
 * @throws TgoError SMOKE with the variant's output
 */
export async function smokeVariant(
  context: BuildContext,
  name: string,
  service: Service,
  { platform, container: image }: Variant,
): Promise<SmokeResult> {
  const where = `${name} ${platform}`;
  const plan = smokePlan(service);
  const container = Object.entries(service.smoke.env).reduce(
    (result, [variable, value]) => result.withEnvVariable(variable, value),
    image,
  );
  const machine = (await execIn(container, plan.machine, where)).trim();
  if (machine !== MACHINES[platform]) {
    throw new TgoError("SMOKE", `reports the machine "${machine}", not ${MACHINES[platform]}`, {
      where,
      remedy: "The image, or the interpreter in it, is for another architecture. Check its base image.",
    });
  }
  const lines: string[] = [];
  for (const exec of plan.exec) {
    await execIn(container, exec, where);
    lines.push(`${exec.join(" ")}: exit 0`);
  }
  if (plan.imports !== undefined) {
    const output = await outputOf(
      runImports(container, plan.imports, service.smoke),
      "importing the packages",
      where,
    );
    lines.push(...importLines(output, where));
  }
  if (plan.http.length > 0) {
    const requests = { http: plan.http, timeoutSeconds: service.smoke.timeoutSeconds };
    lines.push(...(await testServer(context, requests, container, where)));
  } else {
    lines.push("not started: neither smoke.http nor a health check defines a request");
  }
  return { platform, machine, lines };
}

function execIn(container: Container, command: readonly string[], where: string): Promise<string> {
  return outputOf(container.withExec([...command]), command.join(" "), where);
}

async function outputOf(run: Container, what: string, where: string): Promise<string> {
  try {
    return await run.stdout();
  } catch (error) {
    throw smokeError(`${what} failed`, where, error);
  }
}

async function testServer(
  context: BuildContext,
  { http, timeoutSeconds }: Pick<Service["smoke"], "timeoutSeconds"> & Pick<SmokePlan, "http">,
  container: Container,
  where: string,
): Promise<string[]> {
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
    const report = await pTimeout(probeFrom(tools, { requests, timeoutSeconds }), {
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
        },
      );
    }
    const lines = report.responses.map(({ status, error }, index) => {
      const { port, path } = http[index] ?? { port: 0, path: "" };
      return `GET :${port}${path} ${status ?? error ?? "no response"}`;
    });
    if (report.ok) return lines;
    throw new TgoError(
      "SMOKE",
      `did not respond as expected within ${timeoutSeconds} s: ${lines.join(", ")}`,
      {
        where,
        remedy:
          "Start the image by hand and check its log. The expected responses are in smoke.http of the catalog.",
      },
    );
  } catch (error) {
    throw smokeError("the service did not start", where, error);
  } finally {
    // Kill it: a shell that waits for its children ignores SIGTERM, and the engine fails the whole session for a service
    // that does not stop in time. Limit the wait, because a service that is still starting cannot be stopped.
    await pTimeout(
      server.stop({ kill: true }).catch(() => undefined),
      { milliseconds: STOP_SECONDS * 1000, fallback: () => undefined },
    );
  }
}

function smokeError(what: string, where: string, error: unknown): Error {
  if (error instanceof TgoError) return error;
  const failure = execFailure(error);
  // Not a failed command of the image, but an error of the engine.
  if (failure === undefined)
    return new TgoError("SMOKE", `${what}: ${errorMessage(error)}`, { where, cause: error });
  return new TgoError("SMOKE", `${what}\n${lastLines(failure, 25)}`, {
    where,
    remedy: "The output above is from the image. An exec format error means that emulation is missing.",
    cause: error,
  });
}
