import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { promisify } from "node:util";
import { TgoError } from "@tgo/errors";
import { hostPlatform } from "../binfmt.js";
import { writeNewFile } from "../files.js";
import { Lazy, lazy } from "../lazy.js";
import type { Selection } from "../select.js";
import type { CacheState, DirectoryState, FileState, Port, SecretState, ServiceState } from "../state.js";
import { EMPTY, sha256 } from "../store.js";
import { importDirectory, importFile } from "../tree.js";
import { emptyContainer } from "./container.js";
import type { Field, Fields } from "./fields.js";

/** The version of Dagger whose API this is. */
export const API_VERSION = "v0.21.8";

const load: Field<unknown, { id: string }> = (_, { id }, { values }) => values.get(id);

export const queryFields = {
  version: () => API_VERSION,
  defaultPlatform: () => hostPlatform(),
  container: (_: unknown, { platform }: { platform?: string }) => emptyContainer(platform ?? hostPlatform()),
  directory: (): DirectoryState => ({ fs: lazy(() => EMPTY), path: "/" }),
  file: (_: unknown, args: { name: string; contents: string; permissions: number }, { cx }): FileState => ({
    path: `/${args.name}`,
    fs: lazy(() =>
      cx.views.step(EMPTY, ["new file", args.name, sha256(args.contents), args.permissions], (root) =>
        writeNewFile(root, `/${args.name}`, args.contents, { permissions: args.permissions }),
      ),
    ),
  }),
  host: () => ({}),
  cacheVolume: (_: unknown, { key }: { key: string }): CacheState => ({ key }),
  secret: (_: unknown, { uri, cacheKey }: { uri: string; cacheKey?: string }): SecretState =>
    secretFrom(uri, cacheKey),
  setSecret: (_: unknown, { name, plaintext }: { name: string; plaintext: string }): SecretState => ({
    name,
    uri: `set:${name}`,
    plaintext: () => Promise.resolve(plaintext),
  }),
  node: load,
  loadContainerFromID: load,
  loadDirectoryFromID: load,
  loadFileFromID: load,
  loadSecretFromID: load,
  loadServiceFromID: load,
  loadCacheVolumeFromID: load,
} satisfies Fields<unknown>;

/** @throws TgoError USAGE for a scheme that is not served, when the value is asked for when it is not there */
function secretFrom(uri: string, cacheKey: string | undefined): SecretState {
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
  const value = new Lazy(read);
  return { name: basename(rest), uri: cacheKey ?? uri, plaintext: () => value.get() };
}

export const secretFields = {
  name: (state: SecretState) => state.name,
  uri: (state: SecretState) => state.uri,
  plaintext: (state: SecretState) => state.plaintext(),
} satisfies Fields<SecretState>;

export const hostFields = {
  directory: (_: unknown, { path, ...selection }: { path: string } & Selection, { cx }) =>
    importDirectory(cx, resolve(path), selection),
  file: (_: unknown, { path }: { path: string }, { cx }) => importFile(cx, resolve(path)),
  service: (
    _: unknown,
    args: { host: string; ports: { frontend?: number; backend: number }[] },
  ): ServiceState => ({
    kind: "host",
    host: args.host,
    ports: args.ports.map(({ frontend, backend }) => ({ frontend: frontend ?? backend, backend })),
    hostname: args.host,
    id: sha256(JSON.stringify(args)).slice("sha256:".length),
  }),
} satisfies Fields<unknown>;

export const serviceFields = {
  sync: (_: ServiceState, __: object, ___, self) => self.id,
  hostname: (state: ServiceState) => state.hostname,
  ports: (state: ServiceState): readonly Port[] =>
    state.kind === "container"
      ? state.container.ports
      : state.ports.map(({ backend }) => ({
          port: backend,
          protocol: "TCP",
          experimentalSkipHealthcheck: false,
        })),
  endpoint: (state: ServiceState, { port, scheme }: { port?: number; scheme: string }) => {
    const known =
      state.kind === "host"
        ? (state.ports.find(({ frontend }) => frontend === port) ?? state.ports[0])?.backend
        : (port ?? state.container.ports[0]?.port);
    if (known === undefined)
      throw new TgoError("USAGE", "the service exposes no port", {
        remedy: "withExposedPort, or give the port",
      });
    return `${scheme === "" ? "" : `${scheme}://`}${state.hostname}:${known}`;
  },
  withHostname: (state: ServiceState, { hostname }: { hostname: string }) => ({ ...state, hostname }),
  start: async (state: ServiceState, _: object, { cx }, self) => {
    await cx.services.start(state);
    return self.id;
  },
  stop: async (state: ServiceState, _: object, { cx }, self) => {
    await cx.services.stop(state);
    return self.id;
  },
} satisfies Fields<ServiceState>;
