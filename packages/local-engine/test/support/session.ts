import { connect, type Client, type Container, type Platform } from "@dagger.io/dagger";
import { startEngine, type EngineEvent, type EngineOptions } from "../../src/index.js";

export interface Session {
  readonly client: Client;
  /** Everything the engine has told so far. */
  readonly events: readonly EngineEvent[];
}

/** A run of a new engine, through the real SDK. */
export async function session<T>(options: EngineOptions, use: (session: Session) => Promise<T>): Promise<T> {
  const events: EngineEvent[] = [];
  const engine = await startEngine({
    ...options,
    onEvent: (event) => {
      events.push(event);
      options.onEvent?.(event);
    },
  });
  process.env.DAGGER_SESSION_PORT = String(engine.port);
  process.env.DAGGER_SESSION_TOKEN = engine.token;
  let result: T | undefined;
  try {
    await connect(async (client) => {
      result = await use({ client, events });
    });
  } finally {
    await engine.close();
  }
  return result as T;
}

/** Commands that were really run, without those taken from the store. */
export function executed(events: readonly EngineEvent[]): string[] {
  return events.filter(({ kind, state }) => kind === "exec" && state === "start").map(({ title }) => title);
}

export const platform = (name: string): Platform => name as Platform;

/** The busybox image of a registry. */
export function busybox(client: Client, address: string, name = "linux/amd64"): Container {
  return client.container({ platform: platform(name) }).from(address);
}
