import { connect, type Client, type Platform } from "@dagger.io/dagger";
import { startEngine, type EngineEvent, type EngineOptions } from "../../src/index.js";

export interface Session {
  readonly client: Client;
  /** All events of the engine so far. */
  readonly events: readonly EngineEvent[];
}

/** Runs `use` with a new engine, through the real SDK. */
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

/** The commands that were run, without those from the store. */
export function executed(events: readonly EngineEvent[]): string[] {
  return events.filter(({ kind, state }) => kind === "exec" && state === "start").map(({ title }) => title);
}

export const platform = (name: string): Platform => name as Platform;
