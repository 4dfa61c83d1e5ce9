import { randomBytes } from "node:crypto";
import { setMaxListeners } from "node:events";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { cacheFolder } from "@tgo/host";
import type { Keychain } from "@tgo/registry";
import { Api } from "./api/api.js";
import { checkHost } from "./check-host.js";
import { hostPlatform } from "./emulation.js";
import { createEngineContext } from "./engine-context.js";
import type { EngineEvent } from "./events.js";
import type { Platform } from "./images/image.js";
import { createSessionServer } from "./session-server.js";
import { Store } from "./store/store.js";

export interface EngineOptions {
  /** Folder for results that are kept between runs. Default `${XDG_CACHE_HOME:-~/.cache}/tgo/engine`. */
  readonly home?: string;
  /** Stops everything that runs, and the engine. */
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: EngineEvent) => void;
  /** A file with this machine's CA certificates, mounted into every command; never part of an image. */
  readonly caBundle?: string;
  /** Credentials by host. Default: none. */
  readonly keychain?: Keychain;
  /** Registry mirrors by host: `{"docker.io": "localhost:5000"}`. Image names do not show them. */
  readonly mirrors?: Readonly<Record<string, string>>;
  /**
   * URLs of servers that commands may reach although they run on this machine, such as a package index on localhost: at the
   * same address, and nothing else of this machine. URLs of other machines have no effect.
   */
  readonly reachable?: readonly string[];
  /**
   * The platform that the engine takes for its own; the machine's if absent. All programs of another one run under emulation,
   * as on a machine that is emulated as a whole. For tests.
   */
  readonly platform?: Platform;
  /** Whether programs of other platforms run, if the machine has an emulator; true if absent. */
  readonly emulates?: boolean;
}

export interface Engine {
  /** For DAGGER_SESSION_PORT; on 127.0.0.1. */
  readonly port: number;
  /** For DAGGER_SESSION_TOKEN. */
  readonly token: string;
  /** Stops everything that runs, and waits for it to end. */
  close(): Promise<void>;
}

/**
 * Starts an engine for an unmodified Dagger SDK. It supports the part of the API in schema.graphql.ts.
 * @throws TgoError ENVIRONMENT if this machine cannot run it
 */
export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  const [problem] = checkHost();
  if (problem) throw problem;
  const home = options.home ?? join(cacheFolder(process.env), "tgo/engine");
  const store = await Store.open(resolve(home));
  const stop = new AbortController();
  // Every command and every request listens: many listeners are not a leak.
  setMaxListeners(0, stop.signal);
  const cx = createEngineContext(store, {
    signal: stop.signal,
    onEvent: options.onEvent ?? (() => undefined),
    caBundle: options.caBundle,
    keychain: options.keychain ?? (() => Promise.resolve(undefined)),
    mirrors: options.mirrors ?? {},
    reachable: options.reachable ?? [],
    platform: options.platform ?? hostPlatform(),
    emulates: options.emulates ?? true,
  });
  const token = randomBytes(24).toString("base64url");
  const { server, idle } = createSessionServer(new Api(cx), token);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  let closing: Promise<void> | undefined;
  const close = (): Promise<void> =>
    (closing ??= (async () => {
      stop.abort();
      const closed = new Promise((resolve) => server.close(resolve));
      await idle();
      await cx.networks.close();
      server.closeAllConnections();
      await closed;
    })());
  options.signal?.addEventListener("abort", () => void close());
  if (options.signal?.aborted) await close();
  return { port: (server.address() as AddressInfo).port, token, close };
}
