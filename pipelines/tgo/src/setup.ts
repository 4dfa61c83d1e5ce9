import { object, type Client, type Directory, type File, type Secret, type Service } from "@dagger.io/dagger";
import { Pipelines, type HostOptions, type Options } from "../lib/core.js";

/** What the module's constructor was given: its objects carry it along. */
@object()
export class Setup {
  catalog: File | undefined;
  registry: string[] | undefined;
  registryService: Service[] | undefined;
  platform: string[] | undefined;
  baseLock: File | undefined;
  mirror: string[] | undefined;
  dockerConfig: Secret | undefined;
  caBundle: File | undefined;
  netrc: Secret | undefined;
  npmrc: Secret | undefined;
  buildSecrets: Secret | undefined;
  trustedKey: File | undefined;
  trustedIdentity: string[] | undefined;
  trustedRoot: File | undefined;
  repos: Directory | undefined;

  /** @param changes replace what the constructor was given */
  pipelines(client: Client, host?: HostOptions, changes: Options = {}): Pipelines {
    return new Pipelines(client, Object.assign({}, this as Options, changes), host);
  }
}

/** Not a constructor's work: the SDK would read its argument's type as one of the API. */
export function setupOf(given: Options): Setup {
  return Object.assign(new Setup(), given);
}
