import type { Client } from "@dagger.io/dagger";
import { TgoError } from "@tgo/errors";
import { Writable } from "node:stream";
import { daggerFailure, type EngineChoice } from "./engine.js";
import type { CredentialSource } from "./docker-config.js";
import type { EngineMirrors } from "./engine-mirrors.js";
import type { EngineOutput } from "./engine-output.js";
import type { Product, Sdk } from "./loaded-module.js";

/** This repository's own engine, started for one run. */
export interface LocalEngine {
  readonly port: number;
  readonly token: string;
  /** For the report. */
  readonly name: string;
  readonly close: () => Promise<void>;
}

export interface LocalEngineOptions {
  readonly signal: AbortSignal;
  /** PEM file of certificate authorities that build steps should trust. */
  readonly caBundle: string | undefined;
  /** For pulling and pushing images; undefined: anonymous. */
  readonly credentials: CredentialSource | undefined;
  /** For pulled images, a Dockerfile's FROM lines, and build steps. */
  readonly mirrors: EngineMirrors;
  /** Receives what the engine and the commands in it print. */
  readonly output: EngineOutput;
  /** The platform that it is asked for, where each has its own. */
  readonly platform?: string;
}

/** The engines available on this machine. */
export interface Engines {
  readonly isDockerRunning: () => Promise<boolean>;
  /** @throws TgoError ENVIRONMENT naming everything the machine lacks. */
  readonly startLocalEngine: (options: LocalEngineOptions) => Promise<LocalEngine>;
}

export interface SessionOptions extends LocalEngineOptions {
  readonly choice: EngineChoice;
  readonly engines: Engines;
  /** The process's own environment: the SDK reads the session's address from it. */
  readonly env: Record<string, string | undefined>;
}

/**
 * Runs a function in a session with the chosen engine, and always closes the session.
 * @returns what the function returned; its errors are passed on unwrapped
 */
export async function withSession<T>(
  loadSdk: Product["loadSdk"],
  options: SessionOptions,
  run: (client: Client, engineName: string | undefined) => Promise<T>,
): Promise<T> {
  if (options.choice.engine === "dagger") {
    return connected(await loadSdk(), options, (client) => run(client, undefined));
  }
  const [sdk, engine] = await Promise.all([loadSdk(), options.engines.startLocalEngine(options)]);
  options.env.DAGGER_SESSION_PORT = String(engine.port);
  options.env.DAGGER_SESSION_TOKEN = engine.token;
  try {
    return await connected(sdk, options, (client) => run(client, engine.name));
  } finally {
    await engine.close();
  }
}

/**
 * The SDK reports every error inside a session as a failure to provision one, so the function's own outcome bypasses
 * it.
 */
async function connected<T>(
  sdk: Sdk,
  { choice, output }: SessionOptions,
  run: (client: Client) => Promise<T>,
): Promise<T> {
  let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
  try {
    await sdk.connection(
      async () => {
        outcome = await run(sdk.client).then(
          (value) => ({ value }),
          (error: unknown) => ({ error }),
        );
      },
      {
        LogOutput: lineStream((line) => {
          output.line(line);
        }),
      },
    );
  } catch (cause) {
    // A session that fails to close does not undo its work.
    if (outcome === undefined) throw choice.engine === "dagger" ? daggerFailure(cause, output.last()) : cause;
  }
  if (outcome === undefined) throw new TgoError("INTERNAL", "the SDK did not open a session");
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}

export function lineStream(onLine: (line: string) => void): Writable {
  let rest = "";
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      const lines = (rest + chunk.toString("utf8")).split("\n");
      rest = lines.pop() ?? "";
      lines.forEach(onLine);
      done();
    },
  });
}
