import { defined } from "@tgo/report";
import { Registry } from "@tgo/registry";
import { startFaultProxy, startRegistry, type FaultProxy, type LocalRegistry } from "@tgo/testing";
import { NAMES, type RegistryName } from "./places.js";
import { ReleaseHarness, type ReleaseHarnessOptions } from "./release-harness.js";

/** Three real registries, each behind a proxy that fails when told to; one of them with logins. */
export class Registries {
  /** The registries asked without their proxies. */
  readonly behind: Readonly<Record<RegistryName, Registry>>;
  #scenes = 0;

  private constructor(
    readonly real: Readonly<Record<RegistryName, LocalRegistry>>,
    readonly proxies: Readonly<Record<RegistryName, FaultProxy>>,
  ) {
    const ask = (name: RegistryName): Registry =>
      new Registry({ host: real[name].host, ...defined({ credentials: credentialsOf(real[name]) }) });
    this.behind = { ghcr: ask("ghcr"), dockerhub: ask("dockerhub"), acr: ask("acr") };
  }

  static async start(): Promise<Registries> {
    const one = async (auth: "none" | "bearer"): Promise<[LocalRegistry, FaultProxy]> => {
      const real = await startRegistry({ auth });
      return [real, await startFaultProxy(real.url)];
    };
    const [ghcr, dockerhub, acr] = await Promise.all([one("none"), one("bearer"), one("none")]);
    return new Registries(
      { ghcr: ghcr[0], dockerhub: dockerhub[0], acr: acr[0] },
      { ghcr: ghcr[1], dockerhub: dockerhub[1], acr: acr[1] },
    );
  }

  /** Of the registry with logins; the others ask for none. */
  credentials(name: RegistryName): { readonly username: string; readonly password: string } | undefined {
    return credentialsOf(this.real[name]);
  }

  /** Repositories of its own in all three registries, none of which fails. */
  async harness(options: ReleaseHarnessOptions = {}): Promise<ReleaseHarness> {
    await this.mend();
    this.#scenes += 1;
    return new ReleaseHarness(this, `s${this.#scenes}`, options);
  }

  async mend(): Promise<void> {
    for (const name of NAMES) {
      this.proxies[name].clear();
      await this.proxies[name].up();
    }
  }

  async stop(): Promise<void> {
    await Promise.all(NAMES.map((name) => this.proxies[name].stop()));
    await Promise.all(NAMES.map((name) => this.real[name].stop()));
  }
}

function credentialsOf({
  username,
  password,
}: LocalRegistry): { username: string; password: string } | undefined {
  return username === undefined || password === undefined ? undefined : { username, password };
}
