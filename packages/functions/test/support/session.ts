import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { connect, type Client } from "@dagger.io/dagger";
import { startEngine, type EngineOptions } from "@tgo/local-engine";

export interface EngineSession {
  readonly client: Client;
  stop(): Promise<void>;
}

/** Starts a local engine, and connects the SDK to it. */
export async function startSession(options: EngineOptions): Promise<EngineSession> {
  const engine = await startEngine(options);
  process.env.DAGGER_SESSION_PORT = String(engine.port);
  process.env.DAGGER_SESSION_TOKEN = engine.token;
  let end = (): void => undefined;
  let ended = Promise.resolve();
  const client = await new Promise<Client>((resolve, reject) => {
    ended = connect((connected) => {
      resolve(connected);
      return new Promise((finish) => (end = finish));
    });
    ended.catch(reject);
  });
  return {
    client,
    stop: async () => {
      end();
      await ended;
      await engine.close();
    },
  };
}

/** Writes files into a new directory. */
export async function writeSource(folder: string, files: Readonly<Record<string, string>>): Promise<string> {
  const source = await mkdtemp(join(folder, "source-"));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(source, path)), { recursive: true });
    await writeFile(join(source, path), text);
  }
  return source;
}
