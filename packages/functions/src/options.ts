import type { Directory, File, Secret, Service as DaggerService } from "@dagger.io/dagger";

/** The constructor arguments of the module, as they arrive. */
export interface Options {
  readonly catalog?: File | undefined;
  readonly registry?: readonly string[] | undefined;
  readonly registryService?: readonly DaggerService[] | undefined;
  readonly platform?: readonly string[] | undefined;
  readonly baseLock?: File | undefined;
  readonly mirror?: readonly string[] | undefined;
  readonly dockerConfig?: Secret | undefined;
  readonly caBundle?: File | undefined;
  readonly netrc?: Secret | undefined;
  readonly npmrc?: Secret | undefined;
  readonly buildSecrets?: Secret | undefined;
  readonly repos?: Directory | undefined;
}

/** What is compiled into the bundle. */
export interface Product {
  /** The built-in catalog, as data. */
  readonly catalog: unknown;
  /** The built-in base lock. */
  readonly bases?: { readonly bases: Readonly<Record<string, string>> } | undefined;
  readonly pipeline: string;
}
