import type { Client, Directory, File, Host, Platform, Secret, Service } from "@dagger.io/dagger";
import { TgoError } from "@tgo/errors";
import { readInputFile, readReason } from "@tgo/host";
import { basename } from "node:path";

/** Node's words for architectures that image platforms call otherwise. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

/**
 * Dagger's client for functions that need no engine: files, secrets and registry connections of this machine. Everything
 * else fails.
 */
export function hostClient(): Client {
  return whole<Client>("client", {
    defaultPlatform: () =>
      Promise.resolve(`linux/${ARCHITECTURES[process.arch] ?? process.arch}` as Platform),
    host: () => whole<Host>("host", { directory: () => whole<Directory>("directory", {}), file, service }),
    setSecret: (_, plaintext) => whole<Secret>("secret", { plaintext: () => Promise.resolve(plaintext) }),
  });
}

function file(path: string): File {
  return whole<File>("file", {
    name: () => Promise.resolve(basename(path)),
    contents: async () => {
      try {
        return (await readInputFile(path)).bytes.toString();
      } catch (cause) {
        throw new TgoError("USAGE", `the file cannot be read: ${readReason(cause)}`, { where: path, cause });
      }
    },
  });
}

/** A connection to a registry: no tunnel is needed from the machine that the address is for. */
function service(ports: readonly { backend: number }[], { host = "localhost" } = {}): Service {
  const name = host.includes(":") ? `[${host}]` : host;
  const started: Service = whole<Service>("service", {
    start: () => Promise.resolve(started),
    endpoint: ({ scheme } = {}) =>
      Promise.resolve(`${scheme === undefined ? "" : `${scheme}://`}${name}:${ports[0]?.backend ?? 80}`),
  });
  return started;
}

/** Some methods of a type of Dagger's. */
type Methods<Type> = { readonly [Name in keyof Type]?: Type[Name] };

/** An object of Dagger's of which only some methods exist; the others name themselves. */
function whole<Type extends object>(name: string, part: Methods<Type>): Type {
  return new Proxy(part, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key);
      // "then": a promise may be resolved with it.
      if (value !== undefined || typeof key === "symbol" || key === "then") return value;
      throw new TgoError("INTERNAL", `this function runs without an engine, and called ${name}.${key}`);
    },
  }) as unknown as Type;
}
