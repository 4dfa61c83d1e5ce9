import { randomBytes } from "node:crypto";
import { TgoError } from "@tgo/errors";
import { Server } from "proxy-chain";

/** Variables that name proxies. Docker predefines build arguments with these names, which are in no image's history. */
const PROXY = /^(?:https?|ftp|all|no)_proxy$/i;

/** Those of this machine that every RUN instruction gets. */
const PASSED_ON = /^(?:https?|ftp|no)_proxy$/i;

/** Whether a build argument is one that RUN instructions see without ARG, and that is in no image. */
export function isProxyVariable(name: string): boolean {
  return PROXY.test(name);
}

export interface Proxies {
  /** Variables of RUN instructions. */
  readonly env: Readonly<Record<string, string>>;
  /** The build arguments, without passwords of proxies. */
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Of the proxies, relays included, as http URLs: those of this machine need a forward into a build step's network. */
  readonly addresses: readonly string[];
  readonly close: () => Promise<void>;
}

/**
 * The proxies of a build. One with a password is replaced by a relay on this machine that adds the password, so that
 * neither a RUN instruction nor the image, its history or a command line has it. The relay's own password is random and
 * ends with the build.
 * @param given variables of this machine; build arguments with such names replace them
 * @throws TgoError USAGE for a proxy with a password whose address cannot be parsed
 */
export async function startProxies(
  given: Readonly<Record<string, string | undefined>>,
  buildArgs: readonly { readonly name: string; readonly value: string }[],
): Promise<Proxies> {
  const relays = new Map<string, Relay>();
  const close = async (): Promise<void> => {
    await Promise.all([...relays.values()].map((relay) => relay.close()));
  };
  const withoutPassword = async (name: string, value: string): Promise<string> => {
    const address = withScheme(value);
    if (!address.includes("@")) return value;
    const relay = relays.get(address) ?? (await startRelay(name, address));
    relays.set(address, relay);
    return relay.url;
  };
  try {
    const env: Record<string, string> = {};
    const args: Record<string, string> = {};
    for (const [name, value] of Object.entries(given)) {
      if (value !== undefined && PASSED_ON.test(name)) env[name] = await withoutPassword(name, value);
    }
    for (const { name, value } of buildArgs) {
      args[name] = PROXY.test(name) ? await withoutPassword(name, value) : value;
      if (PROXY.test(name)) env[name] = args[name];
    }
    const addresses = Object.entries(env).flatMap(([name, value]) => (isProxy(name) ? originOf(value) : []));
    return { env, buildArgs: args, addresses: [...new Set(addresses)], close };
  } catch (error) {
    await close();
    throw error;
  }
}

function isProxy(name: string): boolean {
  return PROXY.test(name) && !/^no_proxy$/i.test(name);
}

/** People leave out the scheme. */
function withScheme(value: string): string {
  return /^\w[\w+.-]*:\/\//.test(value) ? value : `http://${value}`;
}

/** Where a proxy listens; nothing for what is no address. */
function originOf(value: string): string[] {
  const text = withScheme(value);
  if (!URL.canParse(text)) return [];
  const { hostname, port, protocol } = new URL(text);
  const usual = protocol === "https:" ? "443" : protocol.startsWith("socks") ? "1080" : "80";
  return hostname === "" ? [] : [`http://${hostname}:${port || usual}`];
}

interface Relay {
  readonly url: string;
  readonly close: () => Promise<void>;
}

async function startRelay(name: string, address: string): Promise<Relay> {
  const unusable = (cause: unknown): TgoError =>
    new TgoError("USAGE", `${name} is not the address of a proxy`, {
      remedy:
        "Write http://USER:PASSWORD@HOST:PORT (or https, socks5), with special characters percent-encoded: / is %2F, # is %23.",
      cause,
    });
  if (!URL.canParse(address) || !/^(?:https?|socks(?:4a?|5h?)?):$/.test(new URL(address).protocol)) {
    throw unusable(undefined);
  }
  const token = randomBytes(18).toString("base64url");
  const server = new Server({
    host: "127.0.0.1",
    port: 0,
    prepareRequestFunction: ({ password }) => ({
      requestAuthentication: password !== token,
      upstreamProxyUrl: address,
    }),
  });
  // A failed request is the client's to report.
  server.on("error", () => undefined);
  await server.listen();
  return { url: `http://build:${token}@127.0.0.1:${server.port}`, close: () => server.close(true) };
}
