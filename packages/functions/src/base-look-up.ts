import type { BaseIndex } from "@tgo/builders";
import { isTgoError } from "@tgo/errors";
import { connectHosts, type Connections } from "@tgo/publishing";
import { isIndex, parseReference, Registry } from "@tgo/registry";
import { defined } from "@tgo/report";

/** What an address of a base image is now; undefined where its registry cannot be asked from here, or has no index. */
export type BaseLookUp = (address: string) => Promise<BaseIndex | undefined>;

/** Whoever cannot be reached from here may be reachable for the engine, which is asked then. */
const LIMITS = { retries: 0, timeoutMs: 5000, totalMs: 5000 };

/** A look-up with the caller's credentials. Each registry is connected once. */
export function baseLookUp(connections: Omit<Connections, "client">): BaseLookUp {
  const registries = new Map<string, Promise<Registry>>();
  const connect = (host: string): Promise<Registry> => {
    const known = registries.get(host);
    if (known !== undefined) return known;
    // The caller's connections are those to the catalog's registries.
    const registry = connectHosts([{ name: host, host }], { ...connections, registryService: [] }).then(
      ([connected]) => {
        const { options, credentials } = connected ?? { options: { host } };
        return new Registry({ ...options, ...defined({ credentials }) }).withRetryOptions(LIMITS);
      },
    );
    registries.set(host, registry);
    return registry;
  };
  return async (address) => {
    try {
      const { host, repository, tag, digest } = parseReference(address);
      const registry = await connect(host);
      const { value, descriptor } = await registry.manifest(repository, digest ?? tag ?? "latest");
      if (!isIndex(value)) return undefined;
      const platforms = value.manifests.flatMap(({ platform }) =>
        platform === undefined ? [] : [`${platform.os}/${platform.architecture}`],
      );
      return { digest: descriptor.digest, platforms };
    } catch (error) {
      if (!isTgoError(error) || error.code === "INTERRUPTED") throw error;
      return undefined;
    }
  };
}
