import type { Lazy } from "./lazy.js";
import type { Snapshot } from "./store.js";

/** `linux/arm64`, or with a variant. */
export type Platform = string;

/** The `config` object of an OCI image config; Healthcheck is Docker's addition. Times in nanoseconds. */
export interface ImageConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[] | undefined;
  readonly Cmd?: readonly string[] | undefined;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly Healthcheck?: object;
}

/** What an image's config says about its lowest layers; published images carry it on. */
export interface Origin {
  /** Canonical, with digest; a mirror does not show. None for a Dockerfile's result. */
  readonly imageRef?: string;
  readonly layers: readonly string[];
  readonly created: string | undefined;
  readonly history: readonly object[];
}

/** An image as a file system. */
export interface Image {
  readonly platform: Platform;
  readonly config: ImageConfig;
  readonly fs: Snapshot;
  readonly origin: Origin;
}

export interface SecretState {
  readonly name: string;
  /** What cache keys know it by: its value never decides. */
  readonly uri: string;
  readonly plaintext: () => Promise<string>;
}

/** A directory or a file: an absolute path in a file system. */
export interface Location {
  readonly fs: Lazy<Snapshot>;
  readonly path: string;
}

export interface CacheState {
  readonly key: string;
}

export type Mount = { readonly path: string } & (
  | { readonly kind: "tree"; readonly from: Location; readonly file: boolean; readonly readOnly: boolean }
  | { readonly kind: "cache"; readonly cache: CacheState }
  | { readonly kind: "secret"; readonly secret: SecretState }
);

export interface ContainerState {
  readonly platform: Platform;
  readonly fs: Lazy<Snapshot>;
  /** The image it started from. */
  readonly origin?: Origin;
  /** That image's files, as they were pulled. */
  readonly pulled?: Lazy<Snapshot>;
  readonly config: ImageConfig;
  /** Those of withExposedPort, TCP, which a service must answer on. The image's own are in its config only. */
  readonly ports: readonly number[];
  readonly mounts: readonly Mount[];
  readonly secrets: readonly { readonly name: string; readonly secret: SecretState }[];
  readonly bindings: readonly { readonly alias: string; readonly service: ServiceState }[];
  readonly auth: readonly RegistryAuth[];
  readonly lastExec?: Lazy<ExecResult>;
}

export interface RegistryAuth {
  readonly address: string;
  readonly username: string;
  readonly secret: SecretState;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly fs: Snapshot;
  /** What the writable mounts hold afterwards, by mount path. */
  readonly mounts: Readonly<Record<string, Snapshot>>;
}

export type ServiceState =
  | {
      readonly kind: "container";
      readonly container: ContainerState;
      readonly args: readonly string[];
      readonly id: string;
    }
  | {
      readonly kind: "host";
      readonly host: string;
      readonly ports: readonly { readonly frontend: number; readonly backend: number }[];
    };
