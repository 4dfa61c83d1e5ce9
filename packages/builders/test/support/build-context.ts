import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { connect, type Client, type Secret } from "@dagger.io/dagger";
import { applyOverride, parsePlatform, type Catalog, type Platform } from "@tgo/catalog";
import { startEngine, type EngineOptions } from "@tgo/local-engine";
import { Progress } from "@tgo/progress";
import { Bases } from "../../src/bases/bases.js";
import type { BuildContext } from "../../src/build-context.js";

export interface BuildContextOptions {
  /** A catalog as data: services, registries, mirrors. */
  readonly catalog: unknown;
  /** Every platform of the catalog if omitted. */
  readonly platforms?: readonly Platform[];
  readonly netrc?: Secret;
  readonly npmrc?: Secret;
}

/** A build context made by hand, without the functions package. */
export async function buildContext(
  client: Client,
  { catalog: data, platforms, netrc, npmrc }: BuildContextOptions,
): Promise<BuildContext> {
  const catalog: Catalog = applyOverride(data);
  const native = parsePlatform(await client.defaultPlatform());
  return {
    client,
    catalog,
    pins: {},
    bases: new Bases({
      client,
      native,
      mirrors: catalog.mirrors.images,
      pins: {},
      service: () => undefined,
    }),
    platforms: platforms ?? catalog.platforms,
    progress: new Progress(() => undefined),
    signal: undefined,
    native,
    host: { local: true },
    caBundle: undefined,
    secrets: { netrc, npmrc, build: undefined },
    repos: undefined,
  };
}

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

/** Writes a project into a new directory. */
export async function writeProject(folder: string, files: Readonly<Record<string, string>>): Promise<string> {
  const project = await mkdtemp(join(folder, "source-"));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(project, path)), { recursive: true });
    await writeFile(join(project, path), text);
  }
  return project;
}
