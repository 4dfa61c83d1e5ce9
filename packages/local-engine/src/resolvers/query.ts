import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { promisify } from "node:util";
import { TgoError } from "@tgo/errors";
import { hostPlatform } from "../binfmt.js";
import { lazy } from "../lazy.js";
import type { Selection } from "../select.js";
import type { CacheState, Location, SecretState, ServiceState } from "../state.js";
import { EMPTY } from "../store.js";
import { importDirectory, importFile } from "../tree.js";
import { emptyContainer } from "./container.js";
import type { Fields } from "./fields.js";

/** The version of Dagger whose API this is. */
export const API_VERSION = "v0.21.8";

export const queryFields = {
  version: () => API_VERSION,
  defaultPlatform: () => hostPlatform(),
  container: (_: unknown, { platform }: { platform?: string }) => emptyContainer(platform ?? hostPlatform()),
  directory: (): Location => ({ fs: lazy(() => EMPTY), path: "/" }),
  host: () => ({}),
  cacheVolume: (_: unknown, { key }: CacheState): CacheState => ({ key }),
  secret: (_: unknown, { uri }: { uri: string }) => secretFrom(uri),
  setSecret: (_: unknown, { name, plaintext }: { name: string; plaintext: string }): SecretState => ({
    name,
    uri: `set:${name}`,
    plaintext: () => Promise.resolve(plaintext),
  }),
  node: (_: unknown, { id }: { id: string }, { values }) => values.get(id),
} satisfies Fields<unknown>;

/** @throws TgoError USAGE for a scheme that is not served, when the value is asked for when it is not there */
function secretFrom(uri: string): SecretState {
  const [, scheme = "", rest = ""] = /^(\w+):\/\/([\s\S]*)$/.exec(uri) ?? [];
  const readers: Record<string, () => Promise<string>> = {
    env: () => {
      const value = process.env[rest];
      if (value === undefined)
        throw new TgoError("USAGE", `the environment variable ${rest} is not set`, {
          remedy: `export ${rest}=…`,
        });
      return Promise.resolve(value);
    },
    file: () =>
      readFile(resolve(rest.replace(/^~(?=\/)/, process.env.HOME ?? "~")), "utf8").catch((cause: unknown) => {
        throw new TgoError("USAGE", "the secret's file cannot be read", { where: rest, cause });
      }),
    cmd: async () => {
      const { stdout } = await promisify(execFile)("sh", ["-c", rest]).catch((cause: unknown) => {
        throw new TgoError("USAGE", "the secret's command failed", { where: rest, cause });
      });
      return stdout.trimEnd();
    },
  };
  const read = readers[scheme];
  if (!read)
    throw new TgoError("USAGE", `the embedded engine does not serve secrets from ${scheme}://`, {
      remedy: "use env://, file:// or cmd://",
    });
  const value = lazy(read);
  return { name: basename(rest), uri, plaintext: () => value.get() };
}

export const secretFields = {
  plaintext: (state: SecretState) => state.plaintext(),
} satisfies Fields<SecretState>;

export const hostFields = {
  directory: (_: unknown, { path, ...selection }: { path: string } & Selection, { cx }) =>
    importDirectory(cx, resolve(path), selection),
  file: (_: unknown, { path }: { path: string }, { cx }) => importFile(cx, resolve(path)),
  service: (
    _: unknown,
    { host, ports }: { host: string; ports: { frontend?: number; backend: number }[] },
  ): ServiceState => ({
    kind: "host",
    host,
    ports: ports.map(({ frontend, backend }) => ({ frontend: frontend ?? backend, backend })),
  }),
} satisfies Fields<unknown>;

/** An address only: there is nothing to start. */
function hostService(state: ServiceState): ServiceState & { kind: "host" } {
  if (state.kind === "host") return state;
  throw new TgoError(
    "USAGE",
    "the embedded engine runs a container's service only for the commands bound to it",
    {
      remedy: "withServiceBinding",
    },
  );
}

export const serviceFields = {
  endpoint: (state: ServiceState, { port, scheme }: { port?: number; scheme: string }) => {
    const { host, ports } = hostService(state);
    const { backend } = ports.find(({ frontend }) => frontend === port) ?? ports[0] ?? {};
    if (backend === undefined) throw new TgoError("USAGE", "the service has no port");
    return `${scheme === "" ? "" : `${scheme}://`}${host}:${backend}`;
  },
  start: (state: ServiceState, _: object, __, self) => {
    hostService(state);
    return self.id;
  },
  /** There is nothing to stop: a container's service ends with the command it is bound to. */
  stop: (_: ServiceState, __: object, ___, self) => self.id,
} satisfies Fields<ServiceState>;
