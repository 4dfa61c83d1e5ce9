import type { Client } from "@dagger.io/dagger";
import { TgoError } from "@tgo/errors";
import { setTimeout } from "node:timers/promises";
import type { PlatformEngine } from "./settings.js";
import { sessionProblem } from "./engine.js";
import { reachEngine } from "./reach-engine.js";
import { lineStream, type SessionOptions } from "./session.js";
import type { Sdk } from "./loaded-module.js";

/** A session with the engine of one platform. */
export interface PlatformSession extends PlatformEngine {
  readonly client: Client;
  /** For the report. */
  readonly name: string;
  /** Whether it is this repository's own engine. */
  readonly isLocal: boolean;
  readonly close: () => Promise<void>;
}

/** How long an engine may take to answer, in milliseconds; one that is in a container may have to start. */
const OPEN_MS = 120_000;

/** What decides which engine the SDK connects to. */
const VARIABLES = [
  "DAGGER_SESSION_PORT",
  "DAGGER_SESSION_TOKEN",
  "_EXPERIMENTAL_DAGGER_RUNNER_HOST",
] as const;

/**
 * Opens a session with each engine, one after the other: the SDK reads the address from the environment.
 * @throws TgoError ENVIRONMENT for an engine that cannot be reached, is of another platform, or has another version than the
 *   first one; then none stays open
 */
export async function openSessions(
  sdk: Sdk,
  engines: readonly PlatformEngine[],
  options: Omit<SessionOptions, "choice">,
  reach = reachEngine,
): Promise<PlatformSession[]> {
  const sessions: PlatformSession[] = [];
  try {
    // Before any is started.
    for (const engine of engines.filter(({ address }) => address !== "local"))
      await reach(engine.address).catch((cause: unknown) => {
        throw unreachable(engine, cause);
      });
    for (const engine of engines) {
      const session = await openSession(sdk, engine, options);
      sessions.push(session);
      await checkEngine(session, sessions[0] ?? session);
    }
    return sessions;
  } catch (error) {
    await closeAll(sessions);
    throw error;
  }
}

export async function closeAll(sessions: readonly PlatformSession[]): Promise<void> {
  await Promise.all(sessions.map((session) => session.close()));
}

async function openSession(
  sdk: Sdk,
  engine: PlatformEngine,
  options: Omit<SessionOptions, "choice">,
): Promise<PlatformSession> {
  const { platform, address } = engine;
  if (address !== "local") {
    const opened = await connect(sdk, engine, options, { _EXPERIMENTAL_DAGGER_RUNNER_HOST: address });
    return { ...engine, ...opened, isLocal: false, name: `${platform} on ${address}` };
  }
  const local = await options.engines.startLocalEngine({ ...options, platform });
  try {
    const variables = { DAGGER_SESSION_PORT: String(local.port), DAGGER_SESSION_TOKEN: local.token };
    const { client, close } = await connect(sdk, engine, options, variables);
    return {
      ...{ ...engine, client, isLocal: true, name: local.name },
      close: async () => {
        await close();
        await local.close();
      },
    };
  } catch (error) {
    await local.close();
    throw error;
  }
}

async function connect(
  sdk: Sdk,
  engine: PlatformEngine,
  { env, output }: Pick<SessionOptions, "env" | "output">,
  variables: Partial<Record<(typeof VARIABLES)[number], string>>,
): Promise<{ readonly client: Client; readonly close: () => Promise<void> }> {
  const before = VARIABLES.map((name) => [name, env[name]] as const);
  const set = (values: readonly (readonly [string, string | undefined])[]): void => {
    for (const [name, value] of values)
      if (value === undefined) Reflect.deleteProperty(env, name);
      else env[name] = value;
  };
  set(VARIABLES.map((name) => [name, variables[name]]));
  let finish = (): void => undefined;
  let ended: Promise<void> = Promise.resolve();
  const stop = new AbortController();
  try {
    const opened = new Promise<Client>((resolve, reject) => {
      ended = sdk.connect(
        (client) => {
          resolve(client);
          return new Promise<void>((done) => (finish = done));
        },
        {
          LogOutput: lineStream((line) => {
            output.line(line);
          }),
        },
      );
      ended.catch(reject);
    });
    const late = setTimeout(OPEN_MS, undefined, { signal: stop.signal }).then(() => {
      throw new Error(`no answer within ${OPEN_MS / 1000} s`);
    });
    late.catch(() => undefined);
    const client = await Promise.race([opened, late]);
    return {
      client,
      close: async () => {
        finish();
        // A session that fails to close does not undo its work.
        await ended.catch(() => undefined);
      },
    };
  } catch (cause) {
    throw unreachable(engine, cause, output.last());
  } finally {
    stop.abort();
    set(before);
  }
}

function unreachable(
  { platform, address }: PlatformEngine,
  cause: unknown,
  printed: readonly string[] = [],
): TgoError {
  return new TgoError(
    "ENVIRONMENT",
    `the engine of ${platform} cannot be used: ${sessionProblem(cause, printed)}`,
    {
      where: address,
      remedy:
        "Check that it runs, and that this machine reaches it: _EXPERIMENTAL_DAGGER_RUNNER_HOST=" +
        `${address} dagger core version. container:// needs docker here, kube-pod:// needs kubectl.`,
      cause,
    },
  );
}

/** Asks the engine itself. @throws TgoError ENVIRONMENT */
async function checkEngine(session: PlatformSession, first: PlatformSession): Promise<void> {
  const { client, platform, address } = session;
  const asked = Promise.all([client.defaultPlatform(), client.version(), first.client.version()]);
  const [own, version, wanted] = await asked.catch((cause: unknown) => {
    throw unreachable(session, cause);
  });
  if ((own as string) !== platform)
    throw new TgoError("ENVIRONMENT", `the engine at ${address} is of ${own as string}, not of ${platform}`, {
      where: `--engine ${platform}=${address}`,
      remedy: `Name an engine on a machine of ${platform}, or leave --engine out: then ${platform} runs under emulation.`,
    });
  if (version !== wanted)
    throw new TgoError(
      "ENVIRONMENT",
      `the engine of ${platform} is ${version}, and that of ${first.platform} is ${wanted}`,
      {
        where: address,
        remedy: "Two versions may build two images: run the same version on both machines.",
      },
    );
}
