import { Registry } from "@tgo/registry";
import { defined } from "@tgo/report";
import { startFaultProxy, startRegistry, type FaultProxy, type LocalRegistry } from "@tgo/testing";
import { NAMES, type RegistryName } from "./release-subjects.js";

/** Three real registries, each behind a fault proxy; one of them requires credentials. */
export class RealRegistries {
  /** Clients that bypass the proxies. */
  readonly direct: Readonly<Record<RegistryName, Registry>>;

  private constructor(
    readonly registries: Readonly<Record<RegistryName, LocalRegistry>>,
    readonly proxies: Readonly<Record<RegistryName, FaultProxy>>,
  ) {
    const clientOf = (name: RegistryName): Registry =>
      new Registry({
        host: registries[name].host,
        ...defined({ credentials: credentialsOf(registries[name]) }),
      });
    this.direct = { ghcr: clientOf("ghcr"), dockerhub: clientOf("dockerhub"), acr: clientOf("acr") };
  }

  static async start(): Promise<RealRegistries> {
    const start = async (auth: "none" | "bearer"): Promise<[LocalRegistry, FaultProxy]> => {
      const registry = await startRegistry({ auth });
      return [registry, await startFaultProxy(registry.url)];
    };
    const [ghcr, dockerhub, acr] = await Promise.all([start("none"), start("bearer"), start("none")]);
    return new RealRegistries(
      { ghcr: ghcr[0], dockerhub: dockerhub[0], acr: acr[0] },
      { ghcr: ghcr[1], dockerhub: dockerhub[1], acr: acr[1] },
    );
  }

  /** Undefined for registries without a login. */
  credentials(name: RegistryName): { readonly username: string; readonly password: string } | undefined {
    return credentialsOf(this.registries[name]);
  }

  /**
   * Ends all faults. Waits for the writes of an interrupted run: while this registry writes a tag, it answers reads
   * with 500, and retries in these tests do not wait.
   */
  async repair(): Promise<void> {
    for (const name of NAMES) {
      this.proxies[name].clear();
      await this.proxies[name].up();
      await this.proxies[name].settled();
    }
  }

  async stop(): Promise<void> {
    await Promise.all(NAMES.map((name) => this.proxies[name].stop()));
    await Promise.all(NAMES.map((name) => this.registries[name].stop()));
  }
}

function credentialsOf({
  username,
  password,
}: LocalRegistry): { username: string; password: string } | undefined {
  return username === undefined || password === undefined ? undefined : { username, password };
}
