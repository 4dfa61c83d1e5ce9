import type { Container } from "@dagger.io/dagger";
import type { Platform, Service } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import pTimeout from "p-timeout";
import { type Variant, type BuildContext, MACHINES, probeFrom, toolsContainer } from "@tgo/builders";
import { machineProofs, type MachineProof } from "./machines/machine-proof.js";
import { probeOf, QEMU_CPU, QEMU_PAGESIZE, runMachine, type Variables } from "./machines/run-machine.js";
import { weakMachineFailure } from "./machines/weak-machine-failure.js";
import { importLines, importsCommand, withImports } from "./imports.js";
import { hasShell, runLimited, TimedOut, type LimitedRun } from "./limited-run.js";
import { smokeFailure, timeoutFailure, type SmokeRun } from "./smoke-failure.js";
import { smokePlan, type SmokePlan } from "./smoke-plan.js";

export interface SmokeResult {
  readonly platform: Platform;
  /** The machine that the running variant reports: x86_64, aarch64. */
  readonly machine: string;
  /** One line per step. */
  readonly lines: readonly string[];
  /** The promised machines, in the catalog's order. */
  readonly machines: readonly MachineProof[];
}

const ALIAS = "service";

/** Added to the service's own time limit, for its container to start. The engine itself waits for a port forever. */
const START_SECONDS = 10;

/** The limit of all imports together, in limits of one. */
const IMPORTS = 10;

/** How long to wait for the killed server. */
const STOP_SECONDS = 10;

/**
 * Smoke-tests a variant: its machine, its commands, its imports and its server. Every run has its own network, so nothing
 * else on the same port can respond in its place. Under emulation, the run is of the weakest promised machine.
 * @throws TgoError SMOKE with the variant's output
 */
export async function smokeVariant(
  context: BuildContext,
  name: string,
  service: Service,
  variant: Variant,
): Promise<SmokeResult> {
  const { platform } = variant;
  const machines = context.catalog.machines[platform];
  const emulated = platform !== context.native;
  const isSet = QEMU_CPU in service.smoke.env || QEMU_PAGESIZE in service.smoke.env;
  const seen = await runMachine(probeOf(context), { platform, emulated }, isSet ? [] : machines);
  const run = (env: Variables): Promise<Omit<SmokeResult, "machines">> =>
    runVariant(context, { name, service, variant, env });
  try {
    const result = await run(seen.env);
    const known = isSet ? { env: {}, seen: undefined, limit: "smoke.env sets the emulator's machine" } : seen;
    return { ...result, machines: machineProofs(platform, machines, known) };
  } catch (error) {
    const again = (env: Variables): Promise<unknown> => {
      context.progress.note(
        { step: "smoke", service: name },
        `${platform}: failed, run again to find out why`,
      );
      return run(env);
    };
    throw await weakMachineFailure({ platform, machines, env: seen.env, again }, error);
  }
}

/** A variant to run. */
interface VariantRun {
  readonly name: string;
  readonly service: Service;
  readonly variant: Variant;
  /** Variables of the emulator. */
  readonly env: Variables;
}

async function runVariant(
  context: BuildContext,
  { name, service, variant: { platform, container: image }, env }: VariantRun,
): Promise<Omit<SmokeResult, "machines">> {
  const where = `${name} ${platform}`;
  const { timeoutSeconds } = service.smoke;
  const plan = smokePlan(service);
  const container = Object.entries({ ...env, ...service.smoke.env }).reduce(
    (result, [variable, value]) => result.withEnvVariable(variable, value),
    image,
  );
  const run: SmokeRun = { where, platform, emulated: platform !== context.native };
  const shell = await hasShell(container);
  const exec = (command: readonly string[]): Promise<string> =>
    outputOf(container, { command, seconds: timeoutSeconds }, { ...run, shell }, command.join(" "));
  const machine = (await exec(plan.machine)).trim();
  if (machine !== MACHINES[platform]) {
    throw new TgoError("SMOKE", `reports the machine "${machine}", not ${MACHINES[platform]}`, {
      where,
      remedy: "The image, or the interpreter in it, is for another architecture. Check its base image.",
    });
  }
  const lines: string[] = [];
  for (const command of plan.exec) {
    await exec(command);
    lines.push(`${command.join(" ")}: exit 0`);
  }
  if (plan.imports !== undefined) {
    const output = await outputOf(
      withImports(container),
      // The program limits each import; this is for an interpreter that hangs itself.
      { command: importsCommand(plan.imports, service.smoke), seconds: IMPORTS * timeoutSeconds },
      { ...run, shell },
      "importing the packages",
    );
    lines.push(...importLines(output, where));
  }
  if (plan.http.length > 0) {
    const pages = service.build.strategy === "static-web";
    lines.push(...(await testServer(context, { http: plan.http, timeoutSeconds, pages }, container, run)));
  } else {
    lines.push("not started: neither smoke.http nor a health check defines a request");
  }
  return { platform, machine, lines };
}

async function outputOf(
  container: Container,
  limited: LimitedRun,
  run: SmokeRun & { readonly shell: boolean },
  what: string,
): Promise<string> {
  try {
    return await runLimited(container, limited, run.shell);
  } catch (error) {
    if (error instanceof TimedOut) throw timeoutFailure(what, run, error, limited.seconds);
    throw smokeFailure(`${what} failed`, run, error);
  }
}

interface ServerTest extends Pick<SmokePlan, "http"> {
  readonly timeoutSeconds: number;
  /** Whether these are static pages, which change with every release. */
  readonly pages: boolean;
}

const UNCONTROLLED = " (no Cache-Control: browsers may show this page after the next release)";

async function testServer(
  context: BuildContext,
  { http, timeoutSeconds, pages }: ServerTest,
  container: Container,
  run: SmokeRun,
): Promise<string[]> {
  const { where } = run;
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
