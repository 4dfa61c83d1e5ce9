import type { Container } from "@dagger.io/dagger";
import type { Platform, Service } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import {
  type Variant,
  type BuildContext,
  execFailure,
  lastLines,
  errorMessage,
  probeFrom,
  toolsContainer,
} from "@tgo/builders";
import { importLines, importsRun } from "./imports.js";
import { smokePlan, type SmokePlan } from "./smoke-plan.js";

export interface SmokeResult {
  readonly platform: Platform;
  /** What the variant itself says it runs on: x86_64, aarch64. */
  readonly machine: string;
  /** One line a step. */
  readonly lines: readonly string[];
}

/** `uname -m` by platform: what the kernel (or the emulator) tells a program of that platform. */
const MACHINES: Record<Platform, string> = { "linux/amd64": "x86_64", "linux/arm64": "aarch64" };

const ALIAS = "service";

/** Beyond the service's own time: for its container to start. The engine itself waits for a port forever. */
const START_SECONDS = 10;

/**
 * Runs a variant: its machine, its own commands, its server. Every run has a network of its own, so nothing
 * else that listens on the same port can answer for it.
 * @throws TgoError SMOKE with what the variant printed
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
    throw new TgoError("SMOKE", `says it runs on "${machine}", not ${MACHINES[platform]}`, {
      where,
      remedy: "The image, or the interpreter in it, is for another machine. Check its base image.",
    });
  }
  const lines: string[] = [];
  for (const exec of plan.exec) {
    await execIn(container, exec, where);
    lines.push(`${exec.join(" ")}: exit 0`);
  }
  if (plan.imports !== undefined) {
    const output = await outputOf(
      importsRun(container, plan.imports, service.smoke),
      "importing the packages",
      where,
    );
    lines.push(...importLines(output, where));
  }
  if (plan.http.length > 0) {
    const requests = { http: plan.http, timeoutSeconds: service.smoke.timeoutSeconds };
    lines.push(...(await askServer(context, requests, container, where)));
  } else {
    lines.push("not started: neither smoke.http nor a health check says what it answers");
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

async function askServer(
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
  // Dagger's engine would wait for the image's own health check, whose first run comes after a whole interval.
  let listening = container.withoutDockerHealthcheck();
  for (const { port } of http) listening = listening.withExposedPort(port);
  const server = listening.asService({ args });
  const tools = (await toolsContainer(context)).withServiceBinding(ALIAS, server);
  const requests = http.map(({ port, path, status }) => ({ url: `http://${ALIAS}:${port}${path}`, status }));
  try {
    const report = await within(
      timeoutSeconds + START_SECONDS,
      probeFrom(tools, { requests, timeoutSeconds }),
    );
    if (report === undefined) {
      throw new TgoError(
        "SMOKE",
        `did not start: nothing listens on ${http.map(({ port }) => port).join(", ")}`,
        {
          where,
          remedy: `Start the image by hand and look at its log. It was given ${timeoutSeconds} s (smoke.timeoutSeconds).`,
        },
      );
    }
    const lines = report.answers.map(({ status, error }, index) => {
      const { port, path } = http[index] ?? { port: 0, path: "" };
      return `GET :${port}${path} ${status ?? error ?? "no answer"}`;
    });
    if (report.ok) return lines;
    throw new TgoError(
      "SMOKE",
      `did not answer as it should within ${timeoutSeconds} s: ${lines.join(", ")}`,
      {
        where,
        remedy:
          "Start the image by hand and look at its log; smoke.http in the catalog says what is expected.",
      },
    );
  } catch (error) {
    throw smokeError("the service did not start", where, error);
  } finally {
    // Killed, not asked: a shell that waits for its children ignores the asking, and the engine then fails the
    // whole session for a service that does not end in time.
    // Not waited for without end: a service that is still starting is not stopped before it has.
    await within(
      STOP_SECONDS,
      server.stop({ kill: true }).catch(() => undefined),
    );
  }
}

const STOP_SECONDS = 10;

/** The result, or undefined when it takes longer. */
async function within<T>(seconds: number, result: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, seconds * 1000, undefined);
  });
  // Whoever is late is not listened to any more, whatever it says.
  result.catch(() => undefined);
  return Promise.race([result, late]).finally(() => {
    clearTimeout(timer);
  });
}

function smokeError(what: string, where: string, error: unknown): Error {
  if (error instanceof TgoError) return error;
  const failure = execFailure(error);
  // Not a command of the image: the engine could not run it, and says why.
  if (failure === undefined)
    return new TgoError("SMOKE", `${what}: ${errorMessage(error)}`, { where, cause: error });
  return new TgoError("SMOKE", `${what}\n${lastLines(failure, 25)}`, {
    where,
    remedy: "The output above is the image's own. Where it says exec format error, emulation is missing.",
    cause: error,
  });
}
