import type { Directory, File, Secret, Service as DaggerService } from "@dagger.io/dagger";
import type { ShellArguments } from "./shell-arguments.js";

/** The module's constructor arguments. */
export type Options = ShellArguments<{
  catalog: File;
  registry: readonly string[];
  registryService: readonly DaggerService[];
  platform: readonly string[];
  baseLock: File;
  mirror: readonly string[];
  dockerConfig: Secret;
  caBundle: File;
  netrc: Secret;
  npmrc: Secret;
  buildSecrets: Secret;
  /** Public keys whose signatures count, besides the catalog's: PEM. */
  trustedKey: File;
  /** Identities whose signatures count, besides the catalog's: "ISSUER SUBJECT". */
  trustedIdentity: readonly string[];
  /** Sigstore's trusted root. */
  trustedRoot: File;
  repos: Directory;
  /** Of an image that is given as an object: where it goes, in place of the catalog's registries. */
  repositories: ImageRepositories;
  /** They come before those of dockerConfig. */
  logins: readonly Login[];
}>;

/** The repositories of one service's image. */
export interface ImageRepositories {
  readonly service: string;
  /** `host/repository` */
  readonly names: readonly string[];
}

/** Credentials for a registry. */
export interface Login {
  readonly host: string;
  readonly username: string;
  readonly password: Secret;
}

/** Data compiled into the bundle. */
export interface Product {
  /** The built-in catalog, as data. */
  readonly catalog: unknown;
  /** The built-in base lock. */
  readonly bases?: { readonly bases: Readonly<Record<string, string>> };
  /** Hash of the pipelines' own code, for reports and records. */
  readonly pipeline: string;
  /** Hash of the code that decides an image's bytes, for candidate keys. */
  readonly buildHash: string;
}
